/// The reaction to an error of a batch.
enum Remedy: Sendable, Hashable {
    /// The connection was lost, and whether the batch was committed is unknown.
    case settle
    /// Another scheduler holds the lease.
    case stepDown
    /// This batch was committed before.
    case alreadyCommitted
    /// Another transaction conflicts; the batch is repeated soon.
    case repeatSoon
    /// A row is locked by another transaction.
    case waitForLock
    /// A partition is missing, or does not accept the rows of its day.
    case makePartitions
    /// The error is not caused by the data: the batch is repeated with backoff until the database accepts it.
    case notNow
    /// A new connection may help: the server became a standby, or a prepared statement is outdated.
    case reconnect
    /// A data error. A row that causes it alone, even without its texts, is refused.
    case refuse
    /// A rule on the tables that is not Carillon's. It refuses a client's change, and delays all other batches.
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
        // query_canceled: by a person or by a limit. The session continues.
        case "57014": return .notNow
        // check_violation: without a constraint name, the row does not belong to its partition.
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
