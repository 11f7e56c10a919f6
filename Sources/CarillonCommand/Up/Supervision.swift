/// Decides when the children of `carillon up` are started, restarted and stopped: events and the time go in, actions
/// come out.
///
///     database ──ready──▶ starting ──healthy──▶ running        any of them ──stop──▶ stopping ──all gone──▶ over
struct Supervision {
    /// A child and how it is stopped.
    struct Child: Sendable, Hashable {
        var name: String
        /// Children of a lower rank stop first.
        var rank: Int
        /// The signal that asks the child to end.
        var stopSignal: Int32
        /// The signal for an immediate end.
        var hurrySignal: Int32
        /// The time after `stopSignal` until `hurrySignal` is sent; `nil` for no limit.
        var graceMs: Int64?
    }

    enum Event: Sendable, Hashable {
        case begun
        /// The database accepts connections.
        case databaseAccepted
        /// All programs answer.
        case becameHealthy
        /// A child ended; `how` is a clause: "exited with status 1".
        case ended(Int, how: String)
        case stopRequested
        case timePassed
    }

    enum Action: Sendable, Hashable {
        case start(Int)
        case signal(Int, Int32)
        case say(String)
        /// Print the end of the child's log.
        case showLog(Int)
        case over(Int32)
    }

    enum Phase: Sendable, Hashable {
        case database, starting, running, stopping, over
    }

    private enum State: Hashable {
        case idle
        case running
        case waiting(untilMs: Int64)
        case stopping(sinceMs: Int64, isHurried: Bool)
        case gone
    }

    static let restartDelayMs: Int64 = 1_000
    /// The time after `hurrySignal` until the child is killed.
    static let killDelayMs: Int64 = 10_000
    /// The duration of a stop after which the reason for the wait is printed.
    static let patienceMs: Int64 = 2_000
    /// The number of times a child may end before the system was first healthy. Then the start is given up.
    static let hopelessDeaths = 4

    let children: [Child]
    private let hasDatabase: Bool
    private var states: [State]
    private var deaths: [Int]
    private var stopRequests = 0
    private var exitStatus: Int32 = 0
    private var saidWaitingFor: Int?
    private(set) var phase: Phase

    /// - Parameter hasDatabase: whether the first child is the database, which must be ready before the others start.
    init(children: [Child], hasDatabase: Bool) {
        self.children = children
        self.hasDatabase = hasDatabase
        states = Array(repeating: .idle, count: children.count)
        deaths = Array(repeating: 0, count: children.count)
        phase = hasDatabase ? .database : .starting
    }

    mutating func handle(_ event: Event, atMs now: Int64) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .begun:
            if hasDatabase { start(0, &actions) } else { startOthers(&actions) }
        case .databaseAccepted:
            guard phase == .database else { break }
            phase = .starting
            startOthers(&actions)
        case .becameHealthy:
            if phase == .starting { phase = .running }
        case .ended(let index, let how): ended(index, how, now, &actions)
        case .stopRequested: stopRequested(now, &actions)
        case .timePassed: break
        }
        advance(now, &actions)
        return actions
    }

    /// The time of the next action if no event arrives before.
    var nextDeadlineMs: Int64? {
        states.indices.compactMap { index -> Int64? in
            switch states[index] {
            case .waiting(let until): return until
            case .stopping(let since, let isHurried):
                if isHurried { return since + Supervision.killDelayMs }
                let deadline = children[index].graceMs.map { since + $0 }
                let notice = saidWaitingFor == index ? nil : since + Supervision.patienceMs
                return [deadline, notice].compactMap { $0 }.min()
            default: return nil
            }
        }.min()
    }

    // MARK: Running

    private mutating func start(_ index: Int, _ actions: inout [Action]) {
        states[index] = .running
        actions.append(.start(index))
    }

    private mutating func startOthers(_ actions: inout [Action]) {
        for index in children.indices where states[index] == .idle { start(index, &actions) }
    }

    private mutating func ended(_ index: Int, _ how: String, _ now: Int64, _ actions: inout [Action]) {
        if phase == .stopping {
            states[index] = .gone
            return
        }
        deaths[index] += 1
        let isHopeless =
            phase == .database || (phase == .starting && deaths[index] >= Supervision.hopelessDeaths)
        let name = children[index].name
        if isHopeless {
            states[index] = .gone
            actions += [.say("\(name) \(how) and cannot be started; stopping all programs"), .showLog(index)]
            exitStatus = ExitStatus.internal.rawValue
            beginStopping()
        } else {
            states[index] = .waiting(untilMs: now + Supervision.restartDelayMs)
            actions += [.say("\(name) \(how); restarting in 1 s"), .showLog(index)]
        }
    }

    // MARK: Stopping

    private mutating func stopRequested(_ now: Int64, _ actions: inout [Action]) {
        stopRequests += 1
        switch stopRequests {
        case 1:
            guard phase != .stopping else { return hurry(now, &actions) }
            actions.append(.say("stopping"))
            beginStopping()
        case 2: hurry(now, &actions)
        default:
            for index in children.indices where isAlive(index) { actions.append(.signal(index, 9)) }
        }
    }

    private mutating func beginStopping() {
        phase = .stopping
        for index in children.indices {
            switch states[index] {
            case .idle, .waiting: states[index] = .gone
            default: break
            }
        }
    }

    private mutating func hurry(_ now: Int64, _ actions: inout [Action]) {
        actions.append(.say("stopping immediately"))
        for index in children.indices where isAlive(index) { hurry(index, now, &actions) }
    }

    private mutating func hurry(_ index: Int, _ now: Int64, _ actions: inout [Action]) {
        states[index] = .stopping(sinceMs: now, isHurried: true)
        actions.append(.signal(index, children[index].hurrySignal))
    }

    private func isAlive(_ index: Int) -> Bool {
        switch states[index] {
        case .running, .stopping: true
        default: false
        }
    }

    // MARK: Time

    private mutating func advance(_ now: Int64, _ actions: inout [Action]) {
        for index in children.indices {
            switch states[index] {
            case .waiting(let until) where now >= until: start(index, &actions)
            case .stopping(let since, let isHurried): watch(index, since, isHurried, now, &actions)
            default: break
            }
        }
        guard phase == .stopping else { return }
        let alive = children.indices.filter { isAlive($0) }
        guard let rank = alive.map({ children[$0].rank }).min() else {
            phase = .over
            actions.append(.over(exitStatus))
            return
        }
        for index in alive where children[index].rank == rank && states[index] == .running {
            states[index] = .stopping(sinceMs: now, isHurried: false)
            actions.append(.signal(index, children[index].stopSignal))
        }
    }

    private mutating func watch(
        _ index: Int,
        _ since: Int64,
        _ isHurried: Bool,
        _ now: Int64,
        _ actions: inout [Action]
    ) {
        let child = children[index]
        if isHurried {
            guard now - since >= Supervision.killDelayMs else { return }
            states[index] = .stopping(sinceMs: now, isHurried: true)
            actions.append(.signal(index, 9))
        } else if let grace = child.graceMs, now - since >= grace {
            actions.append(.say("\(child.name) did not end within \(DurationArgument(milliseconds: grace))"))
            hurry(index, now, &actions)
        } else if now - since >= Supervision.patienceMs, saidWaitingFor != index {
            saidWaitingFor = index
            actions.append(
                .say("waiting for \(child.name) to complete its work; press Ctrl-C again to stop immediately")
            )
        }
    }
}
