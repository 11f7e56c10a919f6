import CarillonCore
import TestSupport

/// The state that the database lost when its history went back. Only this state permits a call without a row, a row of a
/// lost definition, or a repeated call.
struct LostHistory {
    private struct Lead: Hashable {
        var epoch: Int64
        var incarnation: UInt64
    }

    /// When the history last went back, in microseconds since the beginning.
    private(set) var at: Int64?
    /// Rows that are missing or older in the state that was restored. A final row is kept before an open one.
    private(set) var rows: [ExecutionID: Execution] = [:]
    private var jobs: [JobID: Job] = [:]
    /// Tokens that are in no row any more.
    private(set) var claims: Set<DispatchToken> = []
    /// Dispatched executions whose row is missing or older since the loss.
    private(set) var called: Set<ExecutionID> = []
    /// The last lease of the lost history: its holder relies on it until the end of its session reaches it.
    private var lease: (epoch: Int64, expiresAt: Timestamp)?
    /// When each lease was taken, by its epoch and by its owner.
    private var leads: [Lead: Int64] = [:]
    private var leaders: [UniqueID: Int64] = [:]

    /// Returns whether the lead is the first of its epoch and incarnation, and whether it is the first of its epoch.
    mutating func leaseTaken(_ shard: ShardRecord, by owner: UniqueID, at time: Int64) -> (Bool, Bool) {
        let isNewEpoch = !leads.keys.contains { $0.epoch == shard.epoch }
        leaders[owner] = time
        let former = leads.updateValue(time, forKey: Lead(epoch: shard.epoch, incarnation: shard.incarnation))
        return (former == nil, isNewEpoch)
    }

    mutating func wentBack(
        from lost: MemoryStore,
        to restored: MemoryStore,
        dispatched: [DispatchToken: ExecutionID],
        at time: Int64
    ) {
        at = time
        for (id, row) in lost.executions where restored.executions[id] != row {
            if rows[id]?.status.isFinal != true || row.status.isFinal { rows[id] = row }
            if let token = row.token, !Self.knows(token, restored.executions[id]) { claims.insert(token) }
        }
        for (token, id) in dispatched {
            if rows[id] != nil { called.insert(id) }
            if !Self.knows(token, restored.executions[id]) { claims.insert(token) }
        }
        for (id, job) in lost.jobs where restored.jobs[id] != job { jobs[id] = job }
        lease = lost.shards[0].leaseExpiresAt.map { (lost.shards[0].epoch, $0) }
    }

    /// Whether a row shows this dispatch, or a final status.
    private static func knows(_ token: DispatchToken, _ row: Execution?) -> Bool {
        guard let row else { return false }
        return row.token == token || row.status.isFinal
    }

    /// A leader of a lost history may dispatch its rows until it notices the end of its session.
    mutating func dispatched(_ call: DispatchedCall) {
        if hasRow(call.executionID, of: call.token) { called.insert(call.executionID) }
    }

    /// Returns the later of two dispatches. Their epochs decide, unless one epoch was given twice.
    func later(_ former: DispatchToken?, _ token: DispatchToken) -> DispatchToken {
        guard let former else { return token }
        if former.epoch == token.epoch, holds(former) != holds(token) { return holds(former) ? token : former }
        return max(former, token)
    }

    // MARK: Permitted exceptions

    /// Whether the leader that made a token had its lease from before the history went back.
    func holds(_ token: DispatchToken) -> Bool {
        guard let at, let taken = leads[Lead(epoch: token.epoch, incarnation: token.incarnation)] else { return false }
        return taken <= at
    }

    /// Whether a scheduler has taken no lease since the history went back.
    func isLeader(_ owner: UniqueID) -> Bool {
        guard let at, let taken = leaders[owner] else { return false }
        return taken <= at
    }

    /// Whether an execution was dispatched by a leader of a lost history, and its row was lost.
    func hasRow(_ id: ExecutionID, of token: DispatchToken) -> Bool { rows[id] != nil && holds(token) }

    /// Whether a leader of a lost history wrote the end of an execution, and the row was lost.
    func hasOutcome(of id: ExecutionID, writtenBy owner: UniqueID) -> Bool {
        isLeader(owner) && rows[id]?.status.isFinal ?? false
    }

    func hasLease(_ token: DispatchToken, at time: Timestamp) -> Bool {
        guard holds(token), let lease, lease.epoch == token.epoch else { return false }
        return lease.expiresAt > time
    }

    /// Whether a change was durable, as its answer says, and was lost.
    func holds(_ result: ChangeResult, writtenBy owner: UniqueID) -> Bool {
        guard isLeader(owner) else { return false }
        return switch result {
        case .job(let job): (jobs[job.id]?.version ?? 0) >= job.version
        case .deleted(let id): jobs[id]?.deletedAt != nil
        case .execution(let execution):
            rows[execution.id].map { $0.status.isFinal || !execution.status.isFinal } ?? false
        case .stale, .notOpen, .refused: false
        }
    }
}
