/// Buffered worker reports: they wait for a row to become durable, for a change to be settled, or for a row to be read.
struct ReportInbox {
    /// Keyed by token, so that a repeated report is processed once.
    private(set) var held: [DispatchToken: (link: ConnectionID, call: HeldCall, isRecreated: Bool)] = [:]
    private(set) var outcomes: [DispatchToken: (link: ConnectionID, outcome: CallOutcome)] = [:]
    /// Tokens of late reports whose rows are being read and the connection of the last repeat.
    private var lookups: [DispatchToken: ConnectionID] = [:]

    /// The maximum number of concurrent row lookups for late reports.
    private static var lookupLimit: Int { 10_000 }

    var isEmpty: Bool { held.isEmpty && outcomes.isEmpty }

    mutating func keep(_ call: HeldCall, from link: ConnectionID, isRecreated: Bool = false) {
        held[call.token] = (link, call, isRecreated || held[call.token]?.isRecreated ?? false)
    }

    mutating func keep(_ outcome: CallOutcome, from link: ConnectionID) {
        outcomes[outcome.token] = (link, outcome)
    }

    /// Removes and returns all buffered reports, in the order of their tokens. The caller keeps those that must still
    /// wait.
    mutating func takeAll() -> (
        held: [(link: ConnectionID, call: HeldCall, isRecreated: Bool)],
        outcomes: [(link: ConnectionID, outcome: CallOutcome)]
    ) {
        defer { (held, outcomes) = ([:], [:]) }
        return (held.sorted { $0.key < $1.key }.map(\.value), outcomes.sorted { $0.key < $1.key }.map(\.value))
    }

    /// The executions with buffered reports.
    var executions: Set<ExecutionID> {
        Set(held.values.map(\.call.executionID) + outcomes.values.map(\.outcome.executionID))
    }

    /// Begins a lookup. Returns `false` at the limit, or while a lookup of the same token is under way: its answer then goes
    /// to `link`. An unacknowledged report is sent again.
    mutating func beginLookup(_ token: DispatchToken, from link: ConnectionID) -> Bool {
        guard lookups[token] != nil || lookups.count < Self.lookupLimit else { return false }
        return lookups.updateValue(link, forKey: token) == nil
    }

    /// Ends a lookup. Returns the connection of the last repeat.
    mutating func endLookup(_ token: DispatchToken) -> ConnectionID? { lookups.removeValue(forKey: token) }
}
