/// Reports of workers that wait: for a row to become durable, for a change to be settled, or for a row to be read.
struct ReportInbox {
    /// By token, so that a worker that says it again is heard once.
    private(set) var held: [DispatchToken: (link: ConnectionID, call: HeldCall, isRecreated: Bool)] = [:]
    private(set) var outcomes: [DispatchToken: (link: ConnectionID, outcome: CallOutcome)] = [:]
    /// Tokens of late reports whose rows are being read.
    private var lookups: Set<DispatchToken> = []

    /// Rows that are looked up for late reports at a time.
    private static var lookupLimit: Int { 10_000 }

    var isEmpty: Bool { held.isEmpty && outcomes.isEmpty }

    mutating func keep(_ call: HeldCall, from link: ConnectionID, isRecreated: Bool = false) {
        held[call.token] = (link, call, isRecreated || held[call.token]?.isRecreated ?? false)
    }

    mutating func keep(_ outcome: CallOutcome, from link: ConnectionID) {
        outcomes[outcome.token] = (link, outcome)
    }

    /// All calls and outcomes that wait, in the order of their tokens. Those that still have to wait are kept again.
    mutating func takeAll() -> (
        held: [(link: ConnectionID, call: HeldCall, isRecreated: Bool)],
        outcomes: [(link: ConnectionID, outcome: CallOutcome)]
    ) {
        defer { (held, outcomes) = ([:], [:]) }
        return (held.sorted { $0.key < $1.key }.map(\.value), outcomes.sorted { $0.key < $1.key }.map(\.value))
    }

    /// The executions that a report waits for.
    var executions: Set<ExecutionID> {
        Set(held.values.map(\.call.executionID) + outcomes.values.map(\.outcome.executionID))
    }

    func isLookedUp(_ token: DispatchToken) -> Bool { lookups.contains(token) }

    /// Begins a look-up. Returns `false` when too many are under way; what is not acknowledged comes again.
    mutating func beginLookup(_ token: DispatchToken) -> Bool {
        guard lookups.count < Self.lookupLimit else { return false }
        return lookups.insert(token).inserted
    }

    mutating func endLookup(_ token: DispatchToken) { lookups.remove(token) }
}
