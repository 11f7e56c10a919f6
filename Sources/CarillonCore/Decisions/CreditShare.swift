/// How a worker divides its free slots among the connections that lead (proto/README.md, Credit).
///
/// The connections together are never offered more than the free slots. Free slots that are offered to nobody go to the
/// connection with the fewest offers. A connection that has used all its offers gets half of the largest unused share; a last
/// offer moves when it was not used for a second. So the slots move to the leader that has work, and no leader waits for ever.
struct CreditShare {
    /// What is offered to one connection.
    struct Line: Hashable {
        var link: ConnectionID
        /// Calls that the scheduler may still dispatch.
        var offered: Int
        /// When the offer was last raised or used.
        var movedAt: BootTime
    }

    /// How long the last offer of a connection stays unused before it moves to a connection that has none.
    static let idleMs: Int64 = 1_000

    private(set) var lines: [Line]
    /// When an unused offer moves next, unless something else happens before.
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

    /// The indexes of the lines, the one that is first to get an offer first.
    private var order: [Int] {
        lines.indices.sorted { left, right in
            let (one, other) = (lines[left], lines[right])
            return (one.offered, one.movedAt.nanoseconds, one.link) < (
                other.offered, other.movedAt.nanoseconds, other.link
            )
        }
    }

    /// Raises the lowest lines until `count` more calls are offered.
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

    /// Lowers the highest lines until `count` fewer calls are offered.
    private mutating func withdraw(_ count: Int) {
        var rest = count
        while rest > 0, let highest = order.last {
            let second = order.dropLast().last.map { lines[$0].offered } ?? 0
            let step = min(rest, max(1, lines[highest].offered - second))
            lines[highest].offered -= step
            rest -= step
        }
    }

    /// Gives each connection that has used its offers a part of what others do not use.
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
