/// The environment variables that each child of `carillon up` gets. Other variables are not passed on, because they can
/// contain passwords and tokens, and a worker calls any URL.
///
/// Addresses and MAX_WORKERS are passed as arguments instead.
enum ChildEnvironment: Sendable, Hashable, CaseIterable {
    /// The scheduler with the database of `carillon up`. It gets no other database's address.
    case scheduler
    /// The scheduler with the database of DATABASE_URL.
    case schedulerOfOtherDatabase
    case worker
    case gateway
    /// PostgreSQL's programs.
    case postgres

    /// Names, and name prefixes that end in `*`: for the system, the dynamic loader and the sanitizers.
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
        case .worker: Self.common.union(Self.log).union(Self.certificates).union(["CONNECTION_MAX_AGE", "HEARTBEAT"])
        case .gateway:
            Self.common.union(Self.log)
                .union(["GATEWAY_TIMEOUT", "PUBLIC_URL", "ALLOWED_HOSTS", "TRUSTED_PROXIES"])
        case .postgres: Self.common
        }
    }

    /// The part of an environment that this kind of child gets.
    func variables(of environment: [String: String]) -> [String: String] {
        let prefixes = allowed.filter { $0.hasSuffix("*") }.map { $0.dropLast() }
        return environment.filter { name, _ in
            allowed.contains(name) || prefixes.contains { name.hasPrefix($0) }
        }
    }
}
