import TestSupport
import Testing

@testable import CarillonCore

/// How a worker divides its free slots among several leaders.
@Suite struct CreditShareTests {
    private let now = BootTime(nanoseconds: 1_000_000_000_000)

    private func line(_ link: ConnectionID, _ offered: Int, movedMsAgo: Int64 = 0) -> CreditShare.Line {
        CreditShare.Line(link: link, offered: offered, movedAt: now + -movedMsAgo)
    }

    private func shares(_ lines: [CreditShare.Line], free: Int) -> [Int] {
        CreditShare(lines, free: free, at: now).lines.map(\.offered)
    }

    @Test func `one leader is offered all free slots`() {
        #expect(shares([line(1, 0)], free: 4) == [4])
        #expect(shares([line(1, 3)], free: 4) == [4])
        #expect(shares([line(1, 3)], free: 1) == [1])
        #expect(shares([], free: 4) == [])
        #expect(CreditShare([line(1, 0)], free: 0, at: now).wake == nil)
    }

    @Test func `free slots go to the leader with the fewest offers`() {
        #expect(shares([line(1, 0), line(2, 0)], free: 4) == [2, 2])
        #expect(shares([line(1, 1), line(2, 4)], free: 7) == [3, 4])
        #expect(shares([line(1, 1), line(2, 4)], free: 12) == [6, 6])
        #expect(shares([line(1, 5, movedMsAgo: 1), line(2, 5, movedMsAgo: 9)], free: 11) == [5, 6])
        #expect(shares([line(1, 0), line(2, 0), line(3, 9)], free: 12) == [2, 1, 9])
    }

    @Test func `a leader that has used its offers gets half of the largest share`() {
        #expect(shares([line(1, 4), line(2, 0)], free: 4) == [2, 2])
        #expect(shares([line(1, 3), line(2, 0)], free: 3) == [2, 1])
        #expect(shares([line(1, 8), line(2, 0), line(3, 0)], free: 8) == [4, 2, 2])
    }

    @Test func `a last offer moves after one unused second`() {
        let fresh = CreditShare([line(1, 1, movedMsAgo: 400), line(2, 0)], free: 1, at: now)
        #expect(fresh.lines.map(\.offered) == [1, 0] && fresh.wake == now + 600)
        let old = CreditShare([line(1, 1, movedMsAgo: 1_000), line(2, 0)], free: 1, at: now)
        #expect(old.lines.map(\.offered) == [0, 1])
        // Nothing can move while all slots are used.
        #expect(CreditShare([line(1, 0), line(2, 0)], free: 0, at: now).wake == nil)
    }

    @Test func `offers beyond the free slots are withdrawn from the largest share`() {
        #expect(shares([line(1, 4), line(2, 3)], free: 4) == [2, 2])
        #expect(shares([line(1, 4), line(2, 1)], free: 2) == [1, 1])
        #expect(shares([line(1, 4), line(2, 4)], free: 0) == [0, 0])
    }

    @Test(arguments: 0..<UInt64(200)) func `random: the offers equal the free slots, and no offer is negative`(
        seed: UInt64
    ) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<50 {
            let lines = (1...Int.random(in: 1...5, using: &random)).map { link in
                line(
                    link,
                    Int.random(in: 0...9, using: &random),
                    movedMsAgo: Int64.random(in: 0...2_000, using: &random)
                )
            }
            let free = Int.random(in: 0...20, using: &random)
            let share = CreditShare(lines, free: free, at: now)
            #expect(share.lines.map(\.link) == lines.map(\.link))
            #expect(share.lines.reduce(0) { $0 + $1.offered } == free && share.lines.allSatisfy { $0.offered >= 0 })
            guard free >= lines.count else { continue }
            #expect(share.lines.allSatisfy { $0.offered > 0 }, "\(lines) of \(free): \(share.lines)")
        }
    }
}
