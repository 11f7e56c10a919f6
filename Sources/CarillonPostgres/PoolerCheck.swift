internal import Logging

/// Finds out at the start whether a connection pooler, such as PgBouncer, gives a scheduler what it needs: sessions that are
/// its own, and enough of them. A scheduler that shares sessions would lose its lock and its settings without notice.
struct PoolerCheck {
    let settings: ConnectionSettings
    /// How many sessions the process opens.
    let sessions: Int
    let logger: Logger

    /// How often two sessions are compared: a pooler may happen to give each the same server connection again.
    private static let rounds = 4
    private static let limit = Patience.total(5_000)

    /// - Parameter first: a session that was just opened, and is not in a transaction.
    /// - Throws: an error of its own, with what to configure; that of the database, where it went away.
    func run(first: Connection) throws(DatabaseError) {
        guard first.isPooled else { return }
        logger.info("a connection pooler stands before the database", metadata: ["sessions": "\(sessions)"])
        try checkTransactions(first)
        var opened = [first]
        opened.append(try open(after: opened.count))
        try checkOwnSession(first, opened[1])
        while opened.count < sessions { opened.append(try open(after: opened.count)) }
    }

    private func open(after count: Int) throws(DatabaseError) -> Connection {
        // A scheduler that is ending may still have its sessions: they are waited for once more.
        for isLast in [false, true] {
            do throws(DatabaseError) {
                return try Connection(settings, logger: logger)
            } catch {
                guard error.kind == .timeout else { throw error }
                if isLast { break }
            }
        }
        throw refusal(
            "gave this process \(count) of the \(sessions) connections that it needs; in PgBouncer set default_pool_size "
                + "(or pool_size of the database) to \(sessions) for each scheduler, with pool_mode = session"
        )
    }

    /// A pooler by statement takes no transaction of several statements.
    private func checkTransactions(_ session: Connection) throws(DatabaseError) {
        do throws(DatabaseError) {
            try session.execute("BEGIN", Self.limit)
            try session.execute("COMMIT", Self.limit)
        } catch {
            let isRefused = ["transaction", "statement"].contains { error.message.contains($0) }
            guard isRefused, error.kind == .rejected || error.state != nil else { throw error }
            throw refusal("pools by statement (\(error.message)); \(Self.advice(sessions))")
        }
    }

    /// In sessions of one's own the processes of the server are two, and stay the same.
    private func checkOwnSession(_ one: Connection, _ two: Connection) throws(DatabaseError) {
        var known: (one: String, two: String)?
        for _ in 0..<Self.rounds {
            let first = try process(of: one)
            // Between its transactions a session that is shared is free, and is given to the next one that asks.
            try two.execute("BEGIN", Self.limit)
            let second = try process(of: two)
            let isShared = first == second || known.map { $0 != (first, second) } ?? false
            if isShared {
                throw refusal("pools by transaction; \(Self.advice(sessions))")
            }
            let again = try process(of: one)
            try two.execute("COMMIT", Self.limit)
            guard again == first else { throw refusal("pools by transaction; \(Self.advice(sessions))") }
            known = (first, second)
        }
    }

    private func process(of session: Connection) throws(DatabaseError) -> String {
        try session.texts("SELECT pg_backend_pid()::text", [], Self.limit).first?.first ?? ""
    }

    private static func advice(_ sessions: Int) -> String {
        "a scheduler needs sessions of its own: set pool_mode = session for its database in PgBouncer, with at least "
            + "\(sessions) connections for each scheduler, or give the address of PostgreSQL itself"
    }

    private func refusal(_ text: String) -> DatabaseError {
        DatabaseError(.unsuitable, "the connection pooler before the database \(text)")
    }
}
