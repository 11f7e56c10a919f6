internal import CarillonCore
internal import CarillonPostgres
internal import Foundation
internal import Glibc
internal import TestSupport

/// The implementations of the contract.
enum StoreKind: CaseIterable, Sendable {
    case memory, postgres

    func make() throws -> any ContractDatabase {
        switch self {
        case .memory: InMemory()
        case .postgres: try OnPostgres()
        }
    }
}

/// A database, and the stores of several schedulers on it.
protocol ContractDatabase: Sendable {
    /// The store of a further scheduler; `lost` collects its reports about the lease connection.
    func store(lost: Collected<String>) -> any JobStore
    /// Reads for clients.
    func reader() -> any HistoryReader
    /// Terminates the session that holds the lease, like an administrator, and returns when it has ended.
    func endLeaseSession() throws
    /// The execution and attempt number of all failed attempts.
    func attempts() throws -> [String]
    /// Changes a job's row without notifying a scheduler.
    func edit(_ id: JobID, _ edit: HandEdit) throws
    /// Shuts down a scheduler's store, and with it its sessions.
    func shutdown(_ store: any JobStore)
    /// Commits a batch with a fault at its commit. `meanwhile` runs after the fault and before the store reacts; no new sessions can be
    /// opened then. A batch that is fenced off or refused gets no fault.
    func commit(
        _ batch: WriteBatch,
        to store: any JobStore,
        meeting fault: CommitFault,
        meanwhile: () async throws -> Void
    ) async throws -> CommitResult
}

extension ContractDatabase {
    func store() -> any JobStore { store(lost: Collected()) }
}

private final class InMemory: ContractDatabase {
    private let database = MemoryDatabase()

    func store(lost: Collected<String>) -> any JobStore {
        FaultyJobStore(database) { lost.add($0) }
    }

    func reader() -> any HistoryReader { MemoryReader(database) }

    func endLeaseSession() { database.endLeaseSession() }

    func attempts() -> [String] { database.attempts.map { "\($0.executionID)|\($0.number)" }.sorted() }

    func edit(_ id: JobID, _ edit: HandEdit) { database.editByHand(id) { edit.apply(to: &$0) } }

    func shutdown(_ store: any JobStore) { (store as? FaultyJobStore)?.shutdown() }

    func commit(
        _ batch: WriteBatch,
        to store: any JobStore,
        meeting fault: CommitFault,
        meanwhile: () async throws -> Void
    ) async throws -> CommitResult {
        guard let store = store as? FaultyJobStore else { throw Unexpected("a store of another database") }
        store.strike(fault)
        let results = store.beginCommit(batch)
        if store.isStruck {
            try await meanwhile()
            store.recover()
        }
        return await results.first { _ in true }
    }
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

    /// The fixture's reader, which ends with the fixture.
    func reader() -> any HistoryReader { fixture.reader }

    private var name: String { fixture.url.split(separator: "/").last.map(String.init) ?? "" }

    /// Sent through another database, because this one may accept no new sessions.
    func endLeaseSession() throws {
        try fixture.cluster.psql(
            """
            SELECT pg_terminate_backend(pid, 60000) FROM pg_locks WHERE locktype = 'advisory' AND objid = 1
                AND database = (SELECT oid FROM pg_database WHERE datname = '\(name)')
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

    func commit(
        _ batch: WriteBatch,
        to store: any JobStore,
        meeting fault: CommitFault,
        meanwhile: () async throws -> Void
    ) async throws -> CommitResult {
        try fixture.psql(AtCommit.meet(fault))
        let blocker = try Blocker(url: fixture.url, holding: AtCommit.lock)
        defer { blocker.release() }
        let results = store.beginCommit(batch)
        guard let session = try await sessionAtCommit(unless: results) else { return await results.first { _ in true } }
        if fault.endsSession {
            // A store that wakes up without a session cannot open another until the test allows it.
            try allowConnections(false)
            if fault == .answerLost {
                // The server notices the lost client only when it answers.
                try cutConnection(from: session.clientPort, to: fixture.cluster.port)
                blocker.release()
            }
            try await end(session.pid, byForce: fault == .lostBeforeMade)
        }
        let outcome: Result<Void, any Error>
        do {
            try await meanwhile()
            outcome = .success(())
        } catch { outcome = .failure(error) }
        if fault.endsSession { try allowConnections(true) }
        try outcome.get()
        blocker.release()
        return await results.first { _ in true }
    }

    private func allowConnections(_ isAllowed: Bool) throws {
        try fixture.cluster.psql("ALTER DATABASE \(name) ALLOW_CONNECTIONS \(isAllowed)")
    }

    /// The session that waits at its commit; `nil` if the batch has ended before.
    private func sessionAtCommit(
        unless results: Collected<CommitResult>
    ) async throws -> (pid: Substring, clientPort: UInt16)? {
        while results.values.isEmpty {
            let found = try fixture.cluster.psql(
                """
                SELECT pid, client_port FROM pg_stat_activity
                WHERE wait_event_type = 'Lock' AND wait_event = 'advisory' AND datname = '\(name)'
                """
            )
            let columns = found.split(whereSeparator: { $0 == "|" || $0.isNewline })
            if columns.count == 2, let port = UInt16(columns[1]) { return (columns[0], port) }
            try await Task.sleep(for: .milliseconds(20))
        }
        return nil
    }

    /// Returns when the session has ended.
    private func end(_ pid: Substring, byForce: Bool) async throws {
        if byForce { try fixture.cluster.psql("SELECT pg_terminate_backend(\(pid))") }
        while try fixture.cluster.psql("SELECT pid FROM pg_stat_activity WHERE pid = \(pid)") != "" {
            try await Task.sleep(for: .milliseconds(20))
        }
    }
}

/// Actions in a batch's transaction after all writes, by a trigger that is deferred to the commit.
private enum AtCommit {
    static let lock = "SELECT pg_advisory_xact_lock(4711)"

    static func meet(_ fault: CommitFault) -> String {
        let code: String? =
            switch fault {
            case .serializationFailure: "40001"
            case .deadlock: "40P01"
            case .lostBeforeMade, .answerLost: nil
            }
        // A sequence is not rolled back with its transaction.
        let failure = code.map {
            "IF nextval('faults') = 1 THEN RAISE EXCEPTION 'taken back' USING ERRCODE = '\($0)'; END IF;"
        }
        // A take-over updates the same columns, but sets no commit_owner.
        return """
            DROP TRIGGER IF EXISTS at_commit ON shards;
            DROP SEQUENCE IF EXISTS faults;
            CREATE SEQUENCE faults;
            CREATE OR REPLACE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                PERFORM set_config('lock_timeout', '0', true);
                PERFORM pg_advisory_xact_lock(4711);
                \(failure ?? "")
                RETURN NULL;
            END $$;
            CREATE CONSTRAINT TRIGGER at_commit AFTER UPDATE OF commit_sequence ON shards
                DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
                WHEN (NEW.shard = 0 AND NEW.commit_owner IS NOT NULL) EXECUTE FUNCTION at_commit();
            """
    }
}

/// Resets a TCP connection of this process, like a broken network.
private func cutConnection(from own: UInt16, to peer: Int) throws {
    typealias Name = (Int32, UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32
    func port(_ descriptor: Int32, _ name: Name) -> Int? {
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let code = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { name(descriptor, $0, &length) }
        }
        guard code == 0, address.sin_family == AF_INET else { return nil }
        return Int(UInt16(bigEndian: address.sin_port))
    }
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
    for descriptor in descriptors
    where port(descriptor, { getsockname($0, $1, &$2) }) == Int(own)
        && port(descriptor, { getpeername($0, $1, &$2) }) == peer
    {
        shutdown(descriptor, Int32(SHUT_RDWR))
        return
    }
    throw Unexpected("there is no connection from port \(own)")
}

extension JobStore {
    /// Submits a batch; its result is collected when it arrives.
    func beginCommit(_ batch: WriteBatch) -> Collected<CommitResult> {
        let results = Collected<CommitResult>()
        submit(.commit(batch)) { if case .commit(let result) = $0 { results.add(result) } }
        return results
    }
}

/// One writing scheduler.
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
        guard case .held(let epoch, let shards, _, _) = try await acquire(leaseMs: leaseMs) else {
            throw Unexpected("the lease is held by another")
        }
        (self.epoch, sequence) = (epoch, 0)
        return shards
    }

    /// Creates the next batch.
    mutating func batch(_ fill: (inout WriteBatch) -> Void = { _ in }) -> WriteBatch {
        sequence += 1
        var batch = WriteBatch(sequence: sequence, owner: owner, epoch: epoch)
        fill(&batch)
        return batch
    }

    @discardableResult
    mutating func write(_ fill: (inout WriteBatch) -> Void) async throws -> CommitResult {
        try await result(of: store.commit(batch(fill)))
    }

    /// Writes a batch with a fault at its commit.
    mutating func write(
        to database: any ContractDatabase,
        meeting fault: CommitFault?,
        _ fill: (inout WriteBatch) -> Void
    ) async throws -> CommitResult {
        guard let fault else { return try await write(fill) }
        return try await result(of: database.commit(batch(fill), to: store, meeting: fault) {})
    }

    /// A refused batch has not used up its number.
    private mutating func result(of result: CommitResult) -> CommitResult {
        if case .refused = result { sequence -= 1 }
        return result
    }

    /// The current state of the first shard.
    func shard() async throws -> ShardRecord {
        guard case .held(_, let shards, _, _) = try await renew(), let first = shards.first, shards.count == 16 else {
            throw Unexpected("the lease was lost")
        }
        return first
    }

    func status(_ id: ExecutionID) async throws -> ExecutionStatus? { try await store.execution(id)?.status }
}
