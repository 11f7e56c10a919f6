internal import Logging

/// Checks at start whether a connection pooler, such as PgBouncer, provides enough dedicated sessions. With shared sessions a
/// scheduler would lose its lock and its settings without notice.
struct PoolerCheck {
    let settings: ConnectionSettings
    /// The number of sessions that the process opens.
    let sessions: Int
    let logger: Logger

    /// How often two sessions are compared, because a pooler may assign the same server connections by chance.
    private static let rounds = 4
    private static let limit = Patience.total(5_000)

    /// - Parameter first: a new session without a transaction.
    /// - Throws: an error with the necessary configuration, or the database's error when it is lost.
    func run(first: Connection) throws(DatabaseError) {
        guard first.isPooled else { return }
        logger.info("connection pooler detected", metadata: ["sessions": "\(sessions)"])
        try checkTransactions(first)
        var opened = [first]
        opened.append(try open(after: opened.count))
        try checkOwnSession(first, opened[1])
        while opened.count < sessions { opened.append(try open(after: opened.count)) }
    }

    private func open(after count: Int) throws(DatabaseError) -> Connection {
        // A stopping scheduler may still hold its sessions, so there is a second attempt.
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

    /// A pooler in statement mode refuses a transaction of several statements.
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

    /// Dedicated sessions have two different server processes, which stay the same.
    private func checkOwnSession(_ one: Connection, _ two: Connection) throws(DatabaseError) {
        var known: (one: String, two: String)?
        for _ in 0..<Self.rounds {
            let first = try process(of: one)
            // A shared session is free between transactions, and the pooler gives it to the next client.
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
        "a scheduler needs dedicated sessions: set pool_mode = session for its database in PgBouncer, with at least "
            + "\(sessions) connections for each scheduler, or use the address of PostgreSQL itself"
    }

    private func refusal(_ text: String) -> DatabaseError {
        DatabaseError(.unsuitable, "the connection pooler \(text)")
    }
}
