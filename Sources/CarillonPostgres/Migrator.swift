internal import CarillonRuntime
package import Logging

/// Migrates the schema up and down. Blocks the calling thread.
///
/// Each migration is one transaction with an advisory lock, and is recorded in `schema_migrations` with the checksum of its script. An
/// unusable connection pooler is refused first. A schema that was applied manually is detected and recorded, not applied again.
package struct Migrator: Sendable {
    private let url: String
    private let logger: Logger
    private let migrations: [Migration]
    private let sessions: Int

    /// - Parameter sessions: the number of concurrent connections that the process needs; checked only with a pooler.
    package init(url: String, logger: Logger, migrations: [Migration] = Migration.all, sessions: Int = 1) {
        self.url = url
        self.sessions = sessions
        self.logger = logger
        self.migrations = migrations
    }

    /// The command shown to the operator.
    package static let command = "carillon-scheduler migrate up (with the same DATABASE_URL)"

    /// Applies and returns the pending migrations. With `waits` an unreachable database is waited for until `isStopping` returns
    /// true; otherwise it is an error.
    @discardableResult
    package func up(
        waits: Bool = false,
        isStopping: () -> Bool = { false }
    ) throws(MigrationError) -> [Migration] {
        try opened(waits: waits, isStopping) { session throws(DatabaseError) in
            var applied: [Migration] = []
            while !isStopping() {
                let done = try self.locked(session, isStopping) { () throws(DatabaseError) -> Migration? in
                    let known = try self.record(in: session)
                    try self.compare(known)
                    guard let next = self.migrations.first(where: { known[$0.version] == nil }) else { return nil }
                    try self.apply(next, next.up, in: session, "applying")
                    return next
                }
                guard let done else { break }
                applied.append(done)
            }
            return applied
        }
    }

    /// Reverts migrations, newest first, down to `version` (0 reverts all); `nil` reverts one.
    @discardableResult
    package func down(to version: Int? = nil) throws(MigrationError) -> [Migration] {
        try opened(waits: false, { false }) { session throws(DatabaseError) in
            var taken: [Migration] = []
            while true {
                let done = try self.locked(session, { false }) { () throws(DatabaseError) -> Migration? in
                    let known = try self.record(in: session)
                    try self.compare(known)
                    guard let newest = self.migrations.last(where: { known[$0.version] != nil }) else { return nil }
                    guard version.map({ newest.version > $0 }) ?? taken.isEmpty else { return nil }
                    try self.apply(newest, newest.down, in: session, "reverting")
                    return newest
                }
                guard let done else { return taken }
                taken.append(done)
            }
        }
    }

    /// Each migration and whether it is applied. Changes nothing.
    package func status() throws(MigrationError) -> [MigrationStatus] {
        try opened(waits: false, { false }) { session throws(DatabaseError) in
            let known = try self.read(session)
            return try self.migrations.map { migration throws(DatabaseError) in
                if let row = known[migration.version] {
                    return MigrationStatus(migration: migration, isApplied: true, appliedAt: row.appliedAt)
                }
                return MigrationStatus(migration: migration, isApplied: try self.wasAppliedByHand(migration, session))
            }
        }
    }

    /// Whether this program can use the current schema. Changes nothing.
    package func state(waits: Bool = false, isStopping: () -> Bool = { false }) throws(MigrationError) -> SchemaState {
        try opened(waits: waits, isStopping) { session throws(DatabaseError) in
            let known = try self.read(session)
            try self.compare(known)
            let newest = self.migrations.last?.version ?? 0
            if let newer = known.keys.max(), newer > newest { return .newer(version: newer, known: newest) }
            var version = 0
            var pending: [Migration] = []
            for migration in self.migrations {
                var isApplied = known[migration.version] != nil
                if !isApplied, pending.isEmpty { isApplied = try self.wasAppliedByHand(migration, session) }
                if isApplied {
                    version = migration.version
                } else {
                    pending.append(migration)
                }
            }
            return pending.isEmpty ? .current(version: version) : .behind(version: version, pending: pending)
        }
    }

    /// Throws an error with the command to run unless the schema is current. For a scheduler that may not migrate.
    package func verify(waits: Bool = false, isStopping: () -> Bool = { false }) throws(MigrationError) {
        switch try state(waits: waits, isStopping: isStopping) {
        case .current:
            return
        case .behind(let version, let pending):
            let names = pending.map(\.title).joined(separator: ", ")
            throw MigrationError(
                "the database's schema is at version \(version) and lacks \(names), and this scheduler is not allowed to migrate; "
                    + "run: \(Self.command)"
            )
        case .newer(let version, let known):
            throw MigrationError(
                "the database's schema is at version \(version), newer than this scheduler, which knows \(known); "
                    + "start the newer scheduler, or use it to revert the schema: carillon-scheduler migrate down --to \(known)"
            )
        }
    }

    // MARK: The session

    /// Runs the body in a transaction while no other process migrates.
    private func locked<Value>(
        _ session: Connection,
        _ isStopping: () -> Bool,
        _ body: () throws(DatabaseError) -> Value
    ) throws(DatabaseError) -> Value {
        do throws(DatabaseError) {
            try lock(session, isStopping)
            let value = try body()
            try session.execute("COMMIT")
            return value
        } catch {
            _ = try? session.execute("ROLLBACK")
            throw error
        }
    }

    /// Starts a transaction that holds the lock. Another process that migrates at the same time is waited for.
    private func lock(_ session: Connection, _ isStopping: () -> Bool) throws(DatabaseError) {
        var hasToldAt: Int64?
        while true {
            try session.execute("BEGIN")
            let rows = try session.texts("SELECT pg_try_advisory_xact_lock(1128354377, 2)::text")
            if rows.first?.first == "true" { return }
            try session.execute("ROLLBACK")
            if isStopping() { throw DatabaseError(.stopped, "the process is stopping") }
            let now = SystemClock.bootMilliseconds()
            if hasToldAt.map({ now - $0 >= 60_000 }) ?? true {
                hasToldAt = now
                logger.notice("another process migrates the database; waiting")
            }
            NativeThread.sleep(ms: 100)
        }
    }

    private func opened<Value>(
        waits: Bool,
        _ isStopping: () -> Bool,
        _ body: (Connection) throws(DatabaseError) -> Value
    ) throws(MigrationError) -> Value {
        let outage = OutageLog(logger: logger)
        var backoff = Backoff()
        // Boxed, because the thread sanitizer needs an address for an inout argument, and an empty value has none.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        while true {
            do throws(DatabaseError) {
                let settings = try ConnectionSettings(url: url, role: .migration)
                let session = try Connection(settings, logger: logger)
                outage.connected(.migration)
                session.patience = .progress(watch(settings))
                try PoolerCheck(settings: settings, sessions: sessions, logger: logger).run(first: session)
                return try body(session)
            } catch {
                let mayPass = error.endsConnection && error.kind != .unsuitable && error.kind != .stopped
                guard mayPass, waits, !isStopping() else { throw MigrationError(error.message) }
                outage.failed(.migration, error)
                NativeThread.sleep(ms: backoff.failed(using: &random))
            }
        }
    }

    /// A script may take long. During silence, a separate session checks whether the server is reachable.
    private func watch(_ settings: ConnectionSettings) -> LeaseWatch {
        let watch = LeaseWatch()
        watch.onAsk { [logger, weak watch] in
            guard let watch else { return }
            NativeThread.startDetached(name: "pg-ask") {
                _ = try? Connection(settings, listener: watch, logger: logger)
            }
        }
        return watch
    }

    // MARK: Recorded migrations

    private struct Record {
        var checksum: String
        var appliedAt: String
    }

    /// The recorded migrations by version.
    private func read(_ session: Connection) throws(DatabaseError) -> [Int: Record] {
        let isThere = try session.texts("SELECT (to_regclass('schema_migrations') IS NOT NULL)::text")
        guard isThere.first?.first == "true" else { return [:] }
        let rows = try session.texts(
            """
            SELECT version::text, checksum, to_char(applied_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
            FROM schema_migrations
            """
        )
        var known: [Int: Record] = [:]
        for row in rows { known[Int(row[0]) ?? 0] = Record(checksum: row[1], appliedAt: row[2]) }
        return known
    }

    /// The recorded migrations, after creating the table and recording manually applied scripts.
    private func record(in session: Connection) throws(DatabaseError) -> [Int: Record] {
        try session.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                version    integer PRIMARY KEY,
                name       text NOT NULL,
                checksum   text NOT NULL,
                applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
            )
            """
        )
        var known = try read(session)
        for migration in migrations {
            if known[migration.version] != nil { continue }
            guard try wasAppliedByHand(migration, session) else { break }
            logger.notice(
                "migration applied manually; recording it",
                metadata: ["migration": "\(migration.title)"]
            )
            _ = try session.texts(Self.insert, [String(migration.version), migration.name, migration.checksum])
            known = try read(session)
        }
        return known
    }

    private static let insert = "INSERT INTO schema_migrations (version, name, checksum) VALUES ($1::integer, $2, $3)"

    private func wasAppliedByHand(_ migration: Migration, _ session: Connection) throws(DatabaseError) -> Bool {
        guard let probe = migration.probe else { return false }
        return try session.texts("SELECT (\(probe))::text").first?.first == "true"
    }

    /// Refuses a migration whose script has changed since it was applied, because the schema is then unknown.
    private func compare(_ known: [Int: Record]) throws(DatabaseError) {
        for migration in migrations {
            guard let record = known[migration.version], record.checksum != migration.checksum else { continue }
            throw DatabaseError(
                .statement(""),
                "migration \(migration.title) was applied from another script (its checksum was "
                    + "\(record.checksum.prefix(12))…, this program's is \(migration.checksum.prefix(12))…); run the program "
                    + "that applied it, or, when the schemas are known to agree, set the checksum in schema_migrations to "
                    + migration.checksum
            )
        }
    }

    private func apply(
        _ migration: Migration,
        _ script: String,
        in session: Connection,
        _ verb: String
    ) throws(DatabaseError) {
        logger.notice("migrating", metadata: ["migration": "\(migration.title)", "step": "\(verb)"])
        do throws(DatabaseError) {
            try session.execute(script)
            if verb == "applying" {
                _ = try session.texts(Self.insert, [String(migration.version), migration.name, migration.checksum])
            } else {
                _ = try session.texts(
                    "DELETE FROM schema_migrations WHERE version = $1::integer",
                    [String(migration.version)]
                )
            }
        } catch {
            throw DatabaseError(error.kind, "\(verb) migration \(migration.title) failed: \(error.message)")
        }
    }
}
