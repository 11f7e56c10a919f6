internal import CPostgres
internal import CarillonRuntime
internal import Glibc

/// The setup of a session, before pipeline mode.
extension Connection {
    /// The time limit of the setup.
    private static let setupMs = 5_000

    /// Resets the session, because a pooler may pass on a session that another client has used.
    func setUp() throws(DatabaseError) {
        // The server's timeout may be too short for this script.
        var script = ["RESET ALL", "SET statement_timeout = 0"]
        let version = Int(PQserverVersion(handle))
        script += role.settings(serverVersion: version).map { "SET \($0.name) = '\($0.value)'" }
        script += ["SET client_encoding = 'UTF8'", "DEALLOCATE ALL", "SELECT pg_advisory_unlock_all()"]
        if let name = PQparameterStatus(handle, "application_name"),
            let text = PQescapeLiteral(handle, name, strlen(name))
        {
            script.append("SET application_name = \(String(cString: text))")
            PQfreemem(text)
        }
        if role.needsPrimary {
            // A reported commit must be durable, so a server's weaker setting is overridden.
            script.append(
                """
                SELECT set_config('synchronous_commit', 'on', false)
                WHERE current_setting('synchronous_commit') IN ('off', 'local')
                """
            )
        }
        script.append("SELECT pg_backend_pid()::text, pg_postmaster_start_time()::text")
        let found: [[String]]
        do throws(DatabaseError) {
            found = try execute(script.joined(separator: ";"), .total(Self.setupMs))
        } catch {
            guard error.kind == .timeout else { throw error }
            throw DatabaseError(
                .timeout,
                "connection accepted, but the first statement was not answered within \(Self.setupMs / 1_000) s: "
                    + "the server hangs, or a connection pooler has no free connection"
            )
        }
        guard let row = found.last, row.count == 2 else { return }
        isPooled = row[0] != String(PQbackendPID(handle))
        let host = [PQhostaddr(handle), PQhost(handle)].compactMap { $0.map { String(cString: $0) } }
        let port = PQport(handle).map { String(cString: $0) } ?? ""
        server = LeaseWatch.Server(address: "\(host.first { !$0.isEmpty } ?? ""):\(port)", startedAt: row[1])
        listener?.heard(server)
    }

    /// Runs a script of several statements as one transaction; returns the rows of the last query as text. Not allowed in pipeline
    /// mode.
    @discardableResult
    func execute(_ script: String, _ patience: Patience? = nil) throws(DatabaseError) -> [[String]] {
        guard PQsendQuery(handle, script) == 1 else { throw lost() }
        return try texts(patience ?? self.patience)
    }

    /// The rows of a query as text. Not allowed in pipeline mode.
    func texts(
        _ query: String,
        _ values: [String] = [],
        _ patience: Patience? = nil
    ) throws(DatabaseError) -> [[String]] {
        var contents = values.map { UnsafePointer(strdup($0)) as UnsafePointer<CChar>? }
        defer { for pointer in contents { free(UnsafeMutablePointer(mutating: pointer)) } }
        guard PQsendQueryParams(handle, query, Int32(values.count), nil, &contents, nil, nil, 0) == 1 else {
            throw lost()
        }
        return try texts(patience ?? self.patience)
    }

    private func texts(_ patience: Patience) throws(DatabaseError) -> [[String]] {
        var wait = Wait(patience, now: SystemClock.bootMilliseconds())
        var rows: [[String]] = []
        var failure: DatabaseError?
        while true {
            try exchange(&wait)
            guard let result = PQgetResult(handle) else { break }
            defer { PQclear(result) }
            switch PQresultStatus(result) {
            case PGRES_TUPLES_OK:
                rows = (0..<PQntuples(result)).map { row in
                    (0..<PQnfields(result)).map { String(cString: PQgetvalue(result, row, $0)) }
                }
            case PGRES_COMMAND_OK, PGRES_EMPTY_QUERY:
                break
            case PGRES_FATAL_ERROR:
                failure = failure ?? error(of: result, step: nil)
                if PQstatus(handle) != CONNECTION_OK { throw failure ?? lost() }
            default:
                throw DatabaseError(.connection, "the database sent an unexpected kind of result")
            }
        }
        if let failure { throw failure }
        guard PQstatus(handle) == CONNECTION_OK else { throw lost() }
        return rows
    }
}
