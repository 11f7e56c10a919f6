/// Why something that was asked of the database did not happen.
struct DatabaseError: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// There is no connection, or it broke: what was under way may have happened or not.
        case connection
        /// The server was reached and refused the connection, or ended it: nothing is known about what was under way.
        case rejected
        /// The database did not answer in time; the connection was given up.
        case timeout
        /// The statements succeeded after they had been cancelled: a commit may not have reached its standby.
        case uncertain
        /// What stands at the address cannot be used as it is configured.
        case unsuitable
        /// The process is ending.
        case stopped
        /// The database said no, with this SQLSTATE (PostgreSQL documentation, appendix A).
        case statement(String)
    }

    var kind: Kind
    /// On one line. Mostly libpq's words; never a part of a connection string that may be secret.
    var message: String
    var constraint: String?
    /// Which of the statements that were sent together.
    var step: Int?
    /// Whether the statement was cancelled because the database was slow.
    var wasCancelled = false

    init(_ kind: Kind, _ message: String, constraint: String? = nil, step: Int? = nil) {
        self.kind = kind
        self.message = message
        self.constraint = constraint
        self.step = step
    }

    /// The SQLSTATE, where there is one.
    var state: String? {
        if case .statement(let state) = kind { state } else { nil }
    }

    /// Whether a new connection is needed.
    var endsConnection: Bool {
        switch kind {
        case .connection, .rejected, .timeout, .uncertain, .unsuitable, .stopped: true
        case .statement: false
        }
    }
}
