internal import CPostgres
internal import Glibc

/// The purpose of a connection.
enum ConnectionRole: String, Sendable {
    case writer, lease, loader, maintenance, reader, history, migration

    /// Whether the connection needs a server that accepts writes.
    var needsPrimary: Bool { self != .history }

    /// The settings of a new session: UTC, read committed, at most one second of waiting for a lock, and a limit for idle transactions.
    /// Every limit that a server, database or role may set is overridden.
    func settings(serverVersion: Int) -> [(name: String, value: String)] {
        var settings = [
            ("timezone", "UTC"),
            ("default_transaction_isolation", "read committed"),
            ("lock_timeout", "1000"),
            ("idle_in_transaction_session_timeout", "10000"),
            ("client_min_messages", "warning"),
        ]
        if serverVersion >= 140_000 { settings.append(("idle_session_timeout", "0")) }
        if serverVersion >= 170_000 { settings.append(("transaction_timeout", "0")) }
        switch self {
        case .writer:
            // Batches must always be joined with partitions by primary key. A partition that was empty when the statement was planned must
            // not be scanned when it is full.
            settings += [
                ("statement_timeout", "0"), ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off"),
            ]
        case .lease: settings += [("statement_timeout", "5000"), ("jit", "off")]
        case .loader:
            // Long statements end by the rules of `Patience`.
            settings += [("statement_timeout", "0"), ("plan_cache_mode", "force_custom_plan"), ("jit", "off")]
        case .maintenance: settings += [("statement_timeout", "60000"), ("lock_timeout", "5000")]
        case .reader, .history:
            settings += [
                ("statement_timeout", "10000"), ("plan_cache_mode", "force_custom_plan"), ("jit", "off"),
                ("default_transaction_read_only", "on"),
            ]
        case .migration:
            settings += [
                ("statement_timeout", "0"), ("lock_timeout", "0"), ("idle_in_transaction_session_timeout", "0"),
            ]
        }
        return settings
    }
}

/// The keywords for libpq: the user's, and defaults where the user has set nothing.
struct ConnectionSettings: Sendable, Hashable {
    let url: String
    let role: ConnectionRole
    /// Keywords and values in addition to the URL.
    let additions: [Keyword]

    struct Keyword: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Throws when libpq cannot parse the URL.
    init(url: String, role: ConnectionRole) throws(DatabaseError) {
        var given = try Self.parse(url)
        self.url = url
        self.role = role
        var additions = [
            Keyword(name: "fallback_application_name", value: "carillon-scheduler"),
            Keyword(name: "client_encoding", value: "UTF8"),
        ]
        var defaults = [
            ("connect_timeout", "3"), ("keepalives", "1"), ("keepalives_idle", "2"), ("keepalives_interval", "1"),
            ("keepalives_count", "3"), ("tcp_user_timeout", "5000"),
        ]
        if role.needsPrimary { defaults.append(("target_session_attrs", "read-write")) }
        // With a connect_timeout of 0 libpq would wait forever for a host that hangs.
        if given["connect_timeout"].map({ (Int($0) ?? 0) <= 0 }) ?? false { given["connect_timeout"] = nil }
        for (name, value) in defaults where given[name] == nil {
            additions.append(Keyword(name: name, value: value))
        }
        self.additions = additions
    }

    /// The parameters that the URL sets, without those of the environment.
    /// - Throws: a `DatabaseError` whose message quotes no part of the URL.
    static func parse(_ url: String) throws(DatabaseError) -> [String: String] {
        var problem: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(url, &problem) else {
            defer { PQfreemem(problem) }
            let text = problem.map { String(cString: $0) } ?? "out of memory"
            throw DatabaseError(.connection, ConnectionStringProblem.sentence(for: text))
        }
        defer { PQconninfoFree(options) }
        var given: [String: String] = [:]
        var option = options
        while let name = option.pointee.keyword {
            if let value = option.pointee.val { given[String(cString: name)] = String(cString: value) }
            option += 1
        }
        if let problem = ConnectionStringProblem.ambiguity(of: url, given) { throw DatabaseError(.connection, problem) }
        return given
    }
}
