internal import CarillonCore
internal import CarillonPostgres
internal import TestSupport

/// What the contract holds for.
enum StoreKind: CaseIterable, Sendable {
    case memory, postgres

    func make() throws -> any ContractDatabase {
        switch self {
        case .memory: InMemory()
        case .postgres: try OnPostgres()
        }
    }
}

/// A database, and stores of several schedulers on it.
protocol ContractDatabase: Sendable {
    /// The store of one more scheduler, and what it was told of its lease connection.
    func store(lost: Collected<String>) -> any JobStore
    /// Ends the session that holds the lease, as an administrator would.
    func endLeaseSession() throws
    /// Execution and attempt number of all failed attempts.
    func attempts() throws -> [String]
    /// Changes a job's row, and tells no scheduler.
    func edit(_ id: JobID, _ edit: HandEdit) throws
    /// Ends a scheduler's store, and with it its sessions.
    func shutdown(_ store: any JobStore)
}

extension ContractDatabase {
    func store() -> any JobStore { store(lost: Collected()) }
}

private final class InMemory: ContractDatabase {
    private let database = MemoryDatabase()

    func store(lost: Collected<String>) -> any JobStore {
        MemoryJobStore(database) { lost.add($0) }
    }

    func endLeaseSession() { database.endLeaseSession() }

    func attempts() -> [String] { database.attempts.map { "\($0.executionID)|\($0.number)" }.sorted() }

    func edit(_ id: JobID, _ edit: HandEdit) { database.editByHand(id) { edit.apply(to: &$0) } }

    func shutdown(_ store: any JobStore) { (store as? MemoryJobStore)?.shutdown() }
}

private final class OnPostgres: ContractDatabase {
    private let fixture: Fixture
    private let stores = Collected<PostgresStore>()

    init() throws { fixture = try Fixture() }

    deinit {
        for store in stores.values { store.shutdown() }
    }

    func store(lost: Collected<String>) -> any JobStore {
        let store = fixture.otherStore(lost: lost)
        stores.add(store)
        return store
    }

    func endLeaseSession() throws {
        try fixture.psql(
            """
            SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            """
        )
    }

    func attempts() throws -> [String] {
        try fixture.psql("SELECT execution_id, attempt FROM execution_attempts").split(separator: "\n").map(String.init)
            .sorted()
    }

    func edit(_ id: JobID, _ edit: HandEdit) throws {
        try fixture.psql("UPDATE jobs SET \(edit.rawValue) WHERE job_id = '\(id)'")
    }

    func shutdown(_ store: any JobStore) { (store as? PostgresStore)?.shutdown() }
}

/// One scheduler that writes.
struct Writer {
    let store: any JobStore
    let owner: UniqueID
    private(set) var epoch: Int64 = 0
    private var sequence: UInt64 = 0

    init(_ store: any JobStore, _ number: UInt64 = 1) {
        self.store = store
        owner = UniqueID(high: number << 16 | 0x4000, low: 0x8000_0000_0000_0000 | number)
    }

    var address: String { "scheduler-\(owner.high >> 16)" }

    func acquire(leaseMs: Int = 600_000) async throws -> LeaseResult {
        try await store.lease(.acquireLease(owner: owner, address: address, leaseMs: leaseMs))
    }

    func renew(leaseMs: Int = 600_000) async throws -> LeaseResult {
        try await store.lease(.renewLease(owner: owner, epoch: epoch, leaseMs: leaseMs))
    }

    /// Takes the lease, which must be free.
    @discardableResult
    mutating func lead(leaseMs: Int = 600_000) async throws -> [ShardRecord] {
        guard case .held(let epoch, let shards, _) = try await acquire(leaseMs: leaseMs) else {
            throw Unexpected("the lease is held by another")
        }
        (self.epoch, sequence) = (epoch, 0)
        return shards
    }

    /// The next batch.
    mutating func batch(_ fill: (inout WriteBatch) -> Void = { _ in }) -> WriteBatch {
        sequence += 1
        var batch = WriteBatch(sequence: sequence, owner: owner, epoch: epoch)
        fill(&batch)
        return batch
    }

    @discardableResult
    mutating func write(_ fill: (inout WriteBatch) -> Void) async throws -> CommitResult {
        let result = try await store.commit(batch(fill))
        // What was refused has not used its number up.
        if case .refused = result { sequence -= 1 }
        return result
    }

    /// The first shard as it is now.
    func shard() async throws -> ShardRecord {
        guard case .held(_, let shards, _) = try await renew(), let first = shards.first, shards.count == 16 else {
            throw Unexpected("the lease was lost")
        }
        return first
    }

    func status(_ id: ExecutionID) async throws -> ExecutionStatus? { try await store.execution(id)?.status }
}
