internal import CPostgres
internal import Glibc

/// What a connection is for.
enum ConnectionRole: String, Sendable {
    case writer, lease, loader, maintenance, reader, history, migration

    /// Whether only a server that takes writes will do.
    var needsPrimary: Bool { self != .history }

    /// What the session is told after it is opened. Everything is in UTC and in read committed; no lock is waited for
    /// longer than a second, and a transaction that its client forgot ends. Every limit that a server, database or role may
    /// set is set here.
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
            // Batches are joined with partitions by their primary key, always: a partition that was empty when its
            // statement was planned must not be scanned when it is full.
            settings += [
                ("statement_timeout", "0"), ("plan_cache_mode", "force_generic_plan"), ("enable_seqscan", "off"),
                ("enable_hashjoin", "off"), ("enable_mergejoin", "off"), ("jit", "off"),
            ]
        case .lease: settings += [("statement_timeout", "5000"), ("jit", "off")]
        case .loader:
            // What takes long ends by the rules of `Patience`.
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

/// What libpq is told to open a connection: the user's words, and ours where the user said nothing.
struct ConnectionSettings: Sendable, Hashable {
    let url: String
    let role: ConnectionRole
    /// Keywords and values beyond the URL.
    let additions: [Keyword]

    struct Keyword: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// Fails when libpq cannot read the URL.
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
        // A connect_timeout of 0 would wait for ever for a host that hangs.
        if given["connect_timeout"].map({ (Int($0) ?? 0) <= 0 }) ?? false { given["connect_timeout"] = nil }
        for (name, value) in defaults where given[name] == nil {
            additions.append(Keyword(name: name, value: value))
        }
        self.additions = additions
    }

    /// The parameters that the URL sets; the environment's are not among them.
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
