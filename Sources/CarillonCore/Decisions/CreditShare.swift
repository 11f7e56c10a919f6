/// How a worker divides its free slots among the connections that lead (proto/README.md, Credit).
///
/// The offers never exceed the free slots. Slots without an offer go to the connection with the fewest offers. A connection
/// without offers gets half of the largest unused share; a last unused offer moves after one second.
struct CreditShare {
    /// The offers to one connection.
    struct Line: Hashable {
        var link: ConnectionID
        /// How many calls the scheduler may still dispatch.
        var offered: Int
        /// When the offer was last raised or used.
        var movedAt: BootTime
    }

    /// How long the last offer of a connection stays unused before it moves to a connection without offers.
    static let idleMs: Int64 = 1_000

    private(set) var lines: [Line]
    /// When an unused offer moves next, if nothing else happens before.
    private(set) var wake: BootTime?

    init(_ lines: [Line], free: Int, at now: BootTime) {
        self.lines = lines
        guard !lines.isEmpty else { return }
        if InjectedFault.grantsItsSlotsToEachLeader.isActive {
            for index in lines.indices { self.lines[index].offered = free }
            return
        }
        let offered = lines.reduce(0) { $0 + $1.offered }
        if offered > free {
            withdraw(offered - free)
        } else if offered < free {
            raise(by: free - offered, at: now)
        }
        if lines.count > 1 { feed(at: now) }
    }

    /// The indexes of the lines, in the order in which they get offers.
    private var order: [Int] {
        lines.indices.sorted { left, right in
            let (one, other) = (lines[left], lines[right])
            return (one.offered, one.movedAt.nanoseconds, one.link) < (
                other.offered, other.movedAt.nanoseconds, other.link
            )
        }
    }

    /// Adds `count` offers, always to the lowest lines.
    private mutating func raise(by count: Int, at now: BootTime) {
        var rest = count
        let order = order
        var level = 1
        while rest > 0 {
            let gap = level < order.count ? lines[order[level]].offered - lines[order[0]].offered : Int.max
            if gap == 0 {
                level += 1
                continue
            }
            let step = min(gap, rest / level)
            for (place, index) in order[..<level].enumerated() where step > 0 || place < rest {
                lines[index].offered += max(1, step)
                lines[index].movedAt = now
            }
            rest -= step > 0 ? step * level : rest
        }
    }

    /// Removes `count` offers, always from the highest lines.
    private mutating func withdraw(_ count: Int) {
        var rest = count
        while rest > 0, let highest = order.last {
            let second = order.dropLast().last.map { lines[$0].offered } ?? 0
            let step = min(rest, max(1, lines[highest].offered - second))
            lines[highest].offered -= step
            rest -= step
        }
    }

    /// Moves unused offers of other connections to each connection without offers.
    private mutating func feed(at now: BootTime) {
        for hungry in order where lines[hungry].offered == 0 {
            guard let richest = order.last else { return }
            if lines[richest].offered > 1 {
                move(lines[richest].offered / 2, from: richest, to: hungry, at: now)
                continue
            }
            let idle = lines.indices.filter { lines[$0].offered == 1 }.min {
                lines[$0].movedAt.nanoseconds < lines[$1].movedAt.nanoseconds
            }
            guard let idle else { return }
            let end = lines[idle].movedAt + Self.idleMs
            guard end <= now else {
                wake = end
                return
            }
            move(1, from: idle, to: hungry, at: now)
        }
    }

    private mutating func move(_ count: Int, from donor: Int, to line: Int, at now: BootTime) {
        lines[donor].offered -= count
        lines[line].offered += count
        lines[line].movedAt = now
    }
}
