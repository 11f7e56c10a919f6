/// Reports of workers that wait: for a row to become durable, for a change to be settled, or for a row to be read.
struct ReportInbox {
    /// By token, so that a worker that says it again is heard once.
    private(set) var held: [DispatchToken: (link: ConnectionID, call: HeldCall, isRecreated: Bool)] = [:]
    private(set) var outcomes: [DispatchToken: (link: ConnectionID, outcome: CallOutcome)] = [:]
    /// Tokens of late reports whose rows are being read, with the connection that each came over last.
    private var lookups: [DispatchToken: ConnectionID] = [:]

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

    /// Begins a look-up. Returns `false` when one is under way, whose answer goes to `link` from now on, or when too many are;
    /// what is not acknowledged comes again.
    mutating func beginLookup(_ token: DispatchToken, from link: ConnectionID) -> Bool {
        guard lookups[token] != nil || lookups.count < Self.lookupLimit else { return false }
        return lookups.updateValue(link, forKey: token) == nil
    }

    /// Ends a look-up. Returns the connection that the report came over last.
    mutating func endLookup(_ token: DispatchToken) -> ConnectionID? { lookups.removeValue(forKey: token) }
}
