internal import CarillonCore
internal import CarillonRuntime
internal import Logging

/// Takes, renews and releases the lease, on a separate connection and thread. The advisory lock ends with the connection, so the end
/// of the connection is reported at once.
final class LeaseHolder: Sendable {
    enum Action: Sendable {
        case acquire(owner: UniqueID, address: String, leaseMs: Int, above: Int64, usableWorkers: Int)
        case renew(owner: UniqueID, epoch: Int64, leaseMs: Int)
        case release(owner: UniqueID, epoch: Int64, standby: UniqueID?)
        /// Requests a sign of life from the server, for other sessions that wait too long. It has no answer.
        case ask
    }

    struct Request: Sendable {
        var action: Action
        var answer: @Sendable (StoreAnswer) -> Void
    }

    private let mailbox = Mailbox<Request>()
    private let context: StoreContext
    private let onLost: @Sendable (String) -> Void

    init(_ context: StoreContext, onLost: @escaping @Sendable (String) -> Void) {
        self.context = context
        self.onLost = onLost
        context.watch.onAsk { [mailbox] in _ = mailbox.post(Request(action: .ask, answer: { _ in }), limit: 8) }
    }

    func start() {
        NativeThread.startDetached(name: "pg-lease") { self.loop() }
    }

    func submit(_ request: Request) {
        if !mailbox.post(request) { request.answer(.leaseConnectionLost("the process is stopping")) }
    }

    func shutdown() {
        mailbox.close()
    }

    private func loop() {
        let keeper = context.keeper(.lease)
        while true {
            let (_, socketIsReady) = mailbox.wait(socket: keeper.session?.socket ?? -1)
            if socketIsReady, let session = keeper.session {
                do throws(DatabaseError) { try session.checkIdle() } catch { lose(keeper, error) }
            }
            let isClosed = mailbox.isClosed
            for request in mailbox.takeAll() {
                if isClosed {
                    request.answer(.leaseConnectionLost("the process is stopping"))
                } else {
                    handle(request, keeper)
                }
            }
            if isClosed { return }
        }
    }

    /// The session ended; the leader that relied on it is notified.
    private func lose(_ keeper: SessionKeeper, _ error: DatabaseError) {
        let wasOpen = keeper.session != nil
        keeper.failed(error)
        context.health.failed(.lease, error)
        if wasOpen { onLost(error.message) }
    }

    private func handle(_ request: Request, _ keeper: SessionKeeper) {
        do throws(DatabaseError) {
            switch request.action {
            case .ask:
                // A new session would hold no advisory lock, and a renewal must not find it.
                guard keeper.session != nil else { return }
                _ = try run([Step(Self.askStatement)], keeper, limitMs: max(Int(context.watch.limitMs) - 1_000, 1_000))
            case .acquire(let owner, let address, let leaseMs, let floor, let usableWorkers):
                let parameters = Parameters()
                parameters.add(owner)
                parameters.add(address)
                parameters.add(Int64(leaseMs))
                parameters.add(floor)
                parameters.add(Int64(usableWorkers))
                begin(leaseMs)
                let result = try acquire(parameters, leaseMs, keeper)
                context.health.leaseAnswered()
                request.answer(.lease(result))
            case .renew(let owner, let epoch, let leaseMs):
                guard keeper.session != nil else {
                    throw DatabaseError(.connection, "the session that held the advisory lock has ended")
                }
                begin(leaseMs)
                let result = try renew(owner, epoch, leaseMs, keeper)
                context.health.leaseAnswered()
                request.answer(.lease(result))
            case .release(let owner, let epoch, let standby):
                context.health.leaseReleased()
                // Without the session there is nothing left to release.
                if keeper.session != nil { try release(owner, epoch, standby, keeper) }
                request.answer(.released)
            }
        } catch {
            if case .release = request.action {
                // The lock is released with the session.
                keeper.close()
                request.answer(.released)
            } else {
                request.answer(.leaseConnectionLost(error.message))
            }
        }
    }

    private func begin(_ leaseMs: Int) {
        context.watch.setLease(ms: leaseMs)
        context.health.leaseAsked()
    }

    // MARK: Statements

    private static let askStatement = Statement("ask", "SELECT 1")
    private static let columns = "held, database_time, standby, \(ShardRecord.columns(of: "(taken)"))"
    private static let acquireStatement = Statement(
        "acquire",
        "SELECT \(columns) FROM carillon_acquire_lease($1::uuid, $2::text, $3::bigint, $4::bigint, $5::bigint)"
    )
    private static let renewStatement = Statement(
        "renew",
        "SELECT \(columns) FROM carillon_renew_lease($1::uuid, $2::bigint, $3::bigint)"
    )
    private static let releaseStatement = Statement(
        "release",
        """
        UPDATE shards SET lease_expires_at = clock_timestamp(), reserved_for = $3::uuid,
            reserved_until = CASE WHEN $3::uuid IS NULL THEN NULL ELSE clock_timestamp() + interval '5 seconds' END
        WHERE owner = $1::uuid AND epoch = $2::bigint
        """
    )
    private static let unlockStatement = Statement("unlock", "SELECT pg_advisory_unlock_all()")
    /// Ends a session that still holds the lock after its lease has expired; NULL when there is none.
    private static let holder = """
        FROM pg_locks WHERE locktype = 'advisory' AND classid = 1128354377 AND objid = 1 AND objsubid = 2 AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        """
    private static let holderStatement = Statement("holder", "SELECT pid \(holder)")
    private static let endHolderStatement = Statement(
        "end_holder",
        "SELECT pg_terminate_backend(pid) \(holder) AND pid = $1::bigint::integer"
    )

    private struct Answer {
        var isHeld: Bool
        var databaseTime: Timestamp
        var standby: UniqueID?
        var shards: [ShardRecord]

        var leader: String? { shards.first?.address }

        /// Whether no lease is valid by the database's clock.
        var isExpired: Bool {
            shards.allSatisfy { $0.leaseExpiresAt.map { $0 < databaseTime } ?? true }
        }
    }

    /// Runs a lease statement. Waits for rows that a batch has locked, and for a database that refuses the statement, within the limit; a
    /// server that does not answer is abandoned.
    private func run(_ steps: [Step], _ keeper: SessionKeeper, limitMs: Int) throws(DatabaseError) -> [QueryResult] {
        let end = SystemClock.bootMilliseconds() + Int64(limitMs)
        var backoff = Backoff()
        // Boxed, because the thread sanitizer needs an address for an inout argument, and an empty value has none.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        while true {
            let left = Int(end - SystemClock.bootMilliseconds())
            do throws(DatabaseError) {
                let session = try keeper.open()
                return try session.run(steps, .total(max(1, left)))
            } catch {
                context.health.failed(.lease, error)
                let needsSession = error.endsConnection || error.remedy == .reconnect || error.remedy == .settle
                if !needsSession {
                    if error.remedy != .repeatSoon { context.outage.refused(.lease, error) }
                    let waitMs = error.remedy == .waitForLock ? 1 : backoff.failed(using: &random)
                    if SystemClock.bootMilliseconds() + waitMs < end, mailbox.sleep(ms: waitMs) { continue }
                } else if keeper.session != nil {
                    lose(keeper, error)
                }
                throw error
            }
        }
    }

    private func answer(_ results: [QueryResult], at index: Int = 0) throws(DatabaseError) -> Answer {
        guard results.count > index, results[index].count == 16 else {
            throw DatabaseError(.statement("42P01"), "the table shards does not have its 16 rows; restore them")
        }
        var isHeld = false
        var time = Timestamp.distantPast
        var standby: UniqueID?
        let shards = results[index].map { row in
            isHeld = row.bool() ?? false
            time = row.timestamp() ?? .distantPast
            standby = row.uuid()
            return ShardRecord(row: &row)
        }
        return Answer(isHeld: isHeld, databaseTime: time, standby: standby, shards: shards)
    }

    private func acquire(
        _ parameters: Parameters,
        _ leaseMs: Int,
        _ keeper: SessionKeeper
    ) throws(DatabaseError) -> LeaseResult {
        while keeper.session == nil, keeper.waitMs > 0 {
            guard mailbox.sleep(ms: keeper.waitMs) else {
                throw DatabaseError(.stopped, "the process is stopping")
            }
        }
        let step = Step(Self.acquireStatement, parameters)
        let limitMs = max(leaseMs, 2_000)
        var suspect: Int64?
        for round in 0..<40 {
            let answer = try self.answer(try run([step], keeper, limitMs: limitMs))
            if answer.isHeld {
                return .held(
                    epoch: answer.shards.first?.epoch ?? 0,
                    shards: answer.shards,
                    databaseTime: answer.databaseTime
                )
            }
            let other = LeaseResult.heldByOther(leader: answer.leader, databaseTime: answer.databaseTime)
            guard answer.isExpired else { return other }
            // A session that has just taken the lock may not have written its lease yet, so it is checked twice.
            let found = try run([Step(Self.holderStatement)], keeper, limitMs: limitMs).first
            let pid = found.flatMap { $0.count > 0 ? $0[0].integer(0) : nil }
            if let pid, pid == suspect {
                try endSession(pid, keeper, limitMs: limitMs)
                suspect = nil
            } else {
                suspect = pid
            }
            guard mailbox.sleep(ms: round == 0 ? 100 : 50) else { return other }
            if round == 39 { return other }
        }
        throw DatabaseError(.timeout, "the advisory lock of the lease is not available")
    }

    private func endSession(_ pid: Int64, _ keeper: SessionKeeper, limitMs: Int) throws(DatabaseError) {
        context.logger.warning("lease expired; terminating the session of its leader", metadata: ["pid": "\(pid)"])
        let parameters = Parameters()
        parameters.add(pid)
        _ = try run([Step(Self.endHolderStatement, parameters)], keeper, limitMs: limitMs)
    }

    private func renew(
        _ owner: UniqueID,
        _ epoch: Int64,
        _ leaseMs: Int,
        _ keeper: SessionKeeper
    ) throws(DatabaseError) -> LeaseResult {
        let parameters = Parameters()
        parameters.add(owner)
        parameters.add(epoch)
        parameters.add(Int64(leaseMs))
        let answer = try self.answer(
            // A later answer is useless, because the leader stops relying on the lease before.
            try run([Step(Self.renewStatement, parameters)], keeper, limitMs: max(leaseMs - 1_000, 1_000))
        )
        guard answer.isHeld else {
            return .heldByOther(leader: answer.leader, databaseTime: answer.databaseTime)
        }
        return .held(
            epoch: epoch,
            shards: answer.shards,
            databaseTime: answer.databaseTime,
            standby: answer.standby
        )
    }

    private func release(
        _ owner: UniqueID,
        _ epoch: Int64,
        _ standby: UniqueID?,
        _ keeper: SessionKeeper
    ) throws(DatabaseError) {
        let parameters = Parameters()
        parameters.add(owner)
        parameters.add(epoch)
        parameters.add(standby)
        _ = try run([Step(Self.releaseStatement, parameters), Step(Self.unlockStatement)], keeper, limitMs: 2_000)
        // The rows still have owner and epoch. A later renewal must not find a session, or it would renew the lease without its
        // lock.
        keeper.close()
    }
}
