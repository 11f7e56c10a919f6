/// Which variables of the environment of `carillon up` its children get. The others stay here: they can hold passwords and
/// tokens, and a worker, which calls any URL, is the last place for them.
///
/// Addresses and MAX_WORKERS are not among them: `carillon up` gives those as arguments.
enum ChildEnvironment: Sendable, Hashable, CaseIterable {
    /// With a database of `carillon up`; the address of another one is not for it.
    case scheduler
    /// With the database that DATABASE_URL names.
    case schedulerOfOtherDatabase
    case worker
    case gateway
    /// PostgreSQL's own programs.
    case postgres

    /// Names, and prefixes of names that end in `*`. The rest of the system, the loader and the sanitizers.
    private static let common: Set<String> = [
        "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "LC_*", "TZ", "TZDIR", "TMPDIR", "LD_LIBRARY_PATH",
        "LD_PRELOAD", "GLIBC_TUNABLES", "MALLOC_*", "RES_OPTIONS", "LOCALDOMAIN", "HOSTALIASES", "ASAN_OPTIONS",
        "LSAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS", "SWIFT_BACKTRACE", "SWIFT_DETERMINISTIC_HASHING",
        "SWIFT_DEBUG_*", "FAKETIME*",
    ]
    private static let log: Set<String> = ["LOG_LEVEL", "LOG_FORMAT"]
    private static let certificates: Set<String> = ["SSL_CERT_FILE", "SSL_CERT_DIR", "OPENSSL_CONF"]
    private static let schedulerSettings: Set<String> = [
        "ADVERTISE", "CATCH_UP_WINDOW", "DATABASE_CONNECTIONS", "HEARTBEAT", "HORIZON_MS", "LEASE",
        "MAX_OPEN_EXECUTIONS",
        "MAX_RETRIES", "MIGRATE", "REFRESH_INTERVAL", "REQUEST_TIMEOUT", "RESPONSE_LIMIT", "RETENTION_DAYS",
    ]

    /// The names and prefixes that this kind of child gets.
    var allowed: Set<String> {
        switch self {
        case .scheduler: Self.common.union(Self.log).union(Self.schedulerSettings)
        case .schedulerOfOtherDatabase:
            ChildEnvironment.scheduler.allowed.union(Self.certificates)
                .union(["DATABASE_URL", "DATABASE_READ_URL", "PG*", "KRB5*"])
        case .worker: Self.common.union(Self.log).union(Self.certificates).union(["HEARTBEAT"])
        case .gateway:
            Self.common.union(Self.log)
                .union(["GATEWAY_TIMEOUT", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES"])
        case .postgres: Self.common
        }
    }

    /// What such a child sees of an environment.
    func variables(of environment: [String: String]) -> [String: String] {
        let prefixes = allowed.filter { $0.hasSuffix("*") }.map { $0.dropLast() }
        return environment.filter { name, _ in
            allowed.contains(name) || prefixes.contains { name.hasPrefix($0) }
        }
    }
}
