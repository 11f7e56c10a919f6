/// Why something that was asked of the database did not happen.
struct DatabaseError: Error, Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        /// There is no connection, or it broke: what was under way may have happened or not.
        case connection
        /// The database did not answer in time; the connection was given up.
        case timeout
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

    init(_ kind: Kind, _ message: String, constraint: String? = nil, step: Int? = nil) {
        self.kind = kind
        self.message = message
        self.constraint = constraint
        self.step = step
    }

    /// Whether a new connection is needed.
    var endsConnection: Bool {
        switch kind {
        case .connection, .timeout, .stopped: true
        case .statement: false
        }
    }
}

/// What is to be done about an error of a batch.
enum Remedy: Sendable, Hashable {
    /// The connection is gone, and whether the batch was committed is not known.
    case settle
    /// Another scheduler holds the lease.
    case stepDown
    /// This batch was committed before.
    case alreadyCommitted
    /// Another transaction is in the way.
    case repeatSoon
    /// A row is locked by another transaction.
    case waitForLock
    /// A partition is missing.
    case makePartitions
    /// The database cannot at the moment, or not until somebody repairs it: disk full, no memory, a table that is gone.
    case repeatLater
    /// A new connection may do better: a server that became a standby, a prepared statement that no longer fits.
    case reconnect
    /// The data itself is not acceptable.
    case refuse
}

extension DatabaseError {
    var remedy: Remedy {
        guard case .statement(let state) = kind else { return .settle }
        switch state {
        case "CA001": return .stepDown
        case "CA002": return .alreadyCommitted
        case "40001", "40P01", "57014": return .repeatSoon
        case "55P03": return .waitForLock
        case "42P01": return .makePartitions
        // read_only_sql_transaction, invalid_sql_statement_name, feature_not_supported (a cached plan after a migration)
        case "25006", "26000", "0A000": return .reconnect
        // undefined column or function, insufficient privilege, no such schema or database: a matter for somebody's hands
        case "42703", "42883", "42501", "3F000", "3D000": return .repeatLater
        default: break
        }
        switch state.prefix(2) {
        case "08": return .settle
        case "57": return .settle
        case "53", "58", "55", "25": return .repeatLater
        default: return .refuse
        }
    }
}
