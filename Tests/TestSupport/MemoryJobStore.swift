package import CarillonCore
internal import Glibc
internal import Synchronization

/// An in-memory database and its connections.
package final class MemoryDatabase: Sendable {
    fileprivate struct State: Sendable {
        var store = MemoryStore()
        var sessions = 0
        /// Called when a lease connection is lost.
        var holders: [Int: @Sendable (String) -> Void] = [:]
    }

    fileprivate let state = Mutex(State())

    package init() {}

    /// Ends the session that holds the advisory lock, like an administrator or a broken network.
    package func endLeaseSession() {
        let told = state.withLock { state in
            guard let session = state.store.lockHolder else { return nil as (@Sendable (String) -> Void)? }
            state.store.sessionEnded(session)
            return state.holders.removeValue(forKey: session)
        }
        told?("the session was ended")
    }

    /// Changes a job, like a user with psql.
    package func editByHand(_ id: JobID, _ edit: (inout Job) -> Void) {
        state.withLock { state in
            guard var job = state.store.jobs[id] else { return }
            edit(&job)
            _ = state.store.editByHand(job, now: Self.now)
        }
    }

    /// Inserts a job, like a user with psql.
    package func insertByHand(_ job: Job) {
        state.withLock { state in _ = state.store.editByHand(job, now: Self.now) }
    }

    /// Whether a batch would be written now, and was not written before.
    package func wouldWrite(_ batch: WriteBatch) -> Bool {
        var trial = snapshot
        guard !trial.hasCommitted(batch), case .committed = trial.commit(batch, now: Self.now) else { return false }
        return true
    }

    /// The outcome of a batch whose response was lost; `nil` if it was not committed.
    package func outcome(of batch: WriteBatch) -> CommitResult? {
        state.withLock { state in
            guard state.store.hasCommitted(batch) else { return nil }
            return .committed(notPending: state.store.notPending(of: batch))
        }
    }

    package var shards: [ShardRecord] { state.withLock { $0.store.shards } }
    package var attempts: [Attempt] { state.withLock { $0.store.attempts } }

    /// The current content.
    var snapshot: MemoryStore { state.withLock { $0.store } }

    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000)
    }
}

/// The in-memory `JobStore`. It answers before `submit` returns.
package final class MemoryJobStore: JobStore {
    private let database: MemoryDatabase
    private let onLost: @Sendable (String) -> Void
    private let session = Mutex<Int?>(nil)

    package init(_ database: MemoryDatabase, onLeaseConnectionLost: @escaping @Sendable (String) -> Void) {
        self.database = database
        onLost = onLeaseConnectionLost
    }

    package func submit(_ request: StoreRequest, answer: @escaping @Sendable (StoreAnswer) -> Void) {
        switch request {
        case .acquireLease(let owner, let address, let leaseMs, let floor, let usableWorkers):
            answer(acquire(owner, address, leaseMs, above: floor, usableWorkers))
        case .renewLease(let owner, let epoch, let leaseMs): answer(renew(owner, epoch, leaseMs))
        case .releaseLease(let owner, let epoch, let standby):
            release(owner, epoch, standby)
            answer(.released)
        case .commit(let batch):
            answer(.commit(database.state.withLock { $0.store.commit(batch, now: MemoryDatabase.now) }))
        case .maintain(let retainFrom):
            database.state.withLock { $0.store.maintain(retainFrom: retainFrom, now: MemoryDatabase.now) }
            answer(.maintained)
        default: answer(read(request))
        }
    }

    /// The process ends, and its session with it.
    package func shutdown() {
        guard let session = openSession else { return }
        database.state.withLock { state in
            state.store.sessionEnded(session)
            state.holders[session] = nil
        }
    }

    private var openSession: Int? {
        guard let session = session.withLock({ $0 }) else { return nil }
        return database.state.withLock { $0.holders[session] != nil } ? session : nil
    }

    private func acquire(
        _ owner: UniqueID,
        _ address: String,
        _ leaseMs: Int,
        above floor: Int64,
        _ usableWorkers: Int
    ) -> StoreAnswer {
        let open = openSession
        let (mine, result, ended) = database.state.withLock { state in
            let mine = open ?? state.sessions
            if open == nil {
                state.sessions += 1
                state.holders[mine] = onLost
            }
            let before = state.store.lockHolder
            let result = state.store.acquireLease(
                session: mine,
                owner: owner,
                address: address,
                leaseMs: leaseMs,
                above: floor,
                usableWorkers: usableWorkers,
                now: MemoryDatabase.now
            )
            var ended: (@Sendable (String) -> Void)?
            if let before, before != state.store.lockHolder { ended = state.holders.removeValue(forKey: before) }
            return (mine, result, ended)
        }
        session.withLock { $0 = mine }
        ended?("ended by another scheduler")
        return .lease(result)
    }

    private func renew(_ owner: UniqueID, _ epoch: Int64, _ leaseMs: Int) -> StoreAnswer {
        guard let session = openSession else { return .leaseConnectionLost("there is no session") }
        return .lease(
            database.state.withLock {
                $0.store.renewLease(
                    session: session,
                    owner: owner,
                    epoch: epoch,
                    leaseMs: leaseMs,
                    now: MemoryDatabase.now
                )
            }
        )
    }

    private func release(_ owner: UniqueID, _ epoch: Int64, _ standby: UniqueID?) {
        guard let session = openSession else { return }
        database.state.withLock {
            $0.store.releaseLease(
                session: session,
                owner: owner,
                epoch: epoch,
                standby: standby,
                now: MemoryDatabase.now
            )
        }
    }

    private func read(_ request: StoreRequest) -> StoreAnswer {
        let store = database.snapshot
        switch request {
        case .loadJobs: return .jobs(store.livingJobs, isLast: true)
        case .loadJobsNamed(let ids): return .jobs(store.jobs(named: ids), isLast: true)
        case .loadChangedJobs(let since): return .jobs(store.jobs(changedSince: since), isLast: true)
        case .loadOpenExecutions(let since): return .openExecutions(store.openExecutions(since: since), isLast: true)
        case .loadOutageRows(let outage): return .outageRows(store.outageRows(outage), isLast: true)
        case .findExecution(let id): return .execution(store.executions[id])
        case .findIdempotencyKey(let operation, let key):
            let record = store.keys["\(operation):\(key)"]
            return .idempotencyRecord(record.flatMap { $0.expiresAt > MemoryDatabase.now ? $0 : nil })
        default: return .failed("not a read")
        }
    }
}
