/// Why a database operation failed.
struct DatabaseError: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// There is no connection, or it broke; statements in progress may or may not have taken effect.
        case connection
        /// The server refused or ended the connection; statements in progress may or may not have taken effect.
        case rejected
        /// The database did not answer in time, and the connection was abandoned.
        case timeout
        /// The statements succeeded after they were cancelled; a commit may not have reached its standby.
        case uncertain
        /// The server or pooler at this address cannot be used with its configuration.
        case unsuitable
        /// The process is ending.
        case stopped
        /// The database returned an error with this SQLSTATE (PostgreSQL documentation, appendix A).
        case statement(String)
    }

    var kind: Kind
    /// One line, mostly libpq's text; never a part of a connection string that may be secret.
    var message: String
    var constraint: String?
    /// The index of the failed statement.
    var step: Int?
    /// Whether the statement was cancelled because the database was slow.
    var wasCancelled = false

    init(_ kind: Kind, _ message: String, constraint: String? = nil, step: Int? = nil) {
        self.kind = kind
        self.message = message
        self.constraint = constraint
        self.step = step
    }

    /// The SQLSTATE, if there is one.
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
