/// What is to be done about an error of a batch (design § 5, "Errors").
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
    /// A partition is missing, or does not take the rows of its day.
    case makePartitions
    /// The error says nothing about the data: the batch is repeated, with back-off, until the database takes it.
    case notNow
    /// A new connection may do better: a server that became a standby, a prepared statement that no longer fits.
    case reconnect
    /// An error of data. A row that gets it alone, without its texts, is refused.
    case refuse
    /// A rule of somebody else's for the tables. It refuses a client's change, and holds up everything else.
    case refuseChange
}

extension DatabaseError {
    var remedy: Remedy {
        guard case .statement(let state) = kind else { return .settle }
        switch state {
        case "CA001": return .stepDown
        case "CA002": return .alreadyCommitted
        case "55P03": return .waitForLock
        case "42P01": return .makePartitions
        // read_only_sql_transaction, invalid_sql_statement_name, feature_not_supported (a cached plan after a migration),
        // duplicate_prepared_statement
        case "25006", "26000", "0A000", "42P05": return .reconnect
        // query_canceled: by somebody, or at a limit. The session is still there.
        case "57014": return .notNow
        // check_violation: without the name of a constraint the row does not belong into its partition.
        case "23514" where constraint == nil: return .makePartitions
        default: break
        }
        switch state.prefix(2) {
        // connection exception, operator intervention
        case "08", "57": return .settle
        // transaction rollback: serialization failure, deadlock
        case "40": return .repeatSoon
        // data exception
        case "22": return .refuse
        // integrity constraint violation
        case "23": return OwnConstraints.contain(constraint) ? .refuse : .refuseChange
        // PL/pgSQL error (RAISE), WITH CHECK OPTION violation, triggered data change violation, program limit exceeded (a value
        // that is too long for its index)
        case "P0", "44", "27", "54": return .refuseChange
        default: return .notNow
        }
    }
}
