import Testing

@testable import CarillonCommand

/// The environment variables that the children of `carillon up` get.
@Suite struct ChildEnvironmentTests {
    private static let environment = [
        "PATH": "/bin", "HOME": "/root", "LC_ALL": "C", "TZ": "UTC", "LOG_LEVEL": "DEBUG", "ASAN_OPTIONS": "x",
        "PGPASSWORD": "secret", "PGHOST": "h", "DATABASE_URL": "secret", "DATABASE_READ_URL": "secret",
        "DATABASE_CONNECTIONS": "8", "AWS_SECRET_ACCESS_KEY": "secret", "GITHUB_TOKEN": "secret", "LEASE": "9s",
        "GATEWAY_TIMEOUT": "5s", "SSL_CERT_FILE": "/ca.pem", "HEARTBEAT": "1s", "LISTEN": "0.0.0.0:1",
        "METRICS_LISTEN": "0.0.0.0:2", "SCHEDULERS": "a:1", "WORKER_NAME": "w", "LOG_TOKEN": "secret",
        "PATH_SECRET": "secret",
    ]

    private static let common: Set<String> = ["PATH", "HOME", "LC_ALL", "TZ", "ASAN_OPTIONS"]

    @Test(
        arguments: [
            (ChildEnvironment.worker, ["LOG_LEVEL", "SSL_CERT_FILE", "HEARTBEAT"]),
            (.gateway, ["LOG_LEVEL", "GATEWAY_TIMEOUT"]),
            (.scheduler, ["LOG_LEVEL", "HEARTBEAT", "LEASE", "DATABASE_CONNECTIONS"]),
            (
                .schedulerOfOtherDatabase,
                [
                    "LOG_LEVEL", "HEARTBEAT", "LEASE", "DATABASE_CONNECTIONS", "SSL_CERT_FILE", "DATABASE_URL",
                    "DATABASE_READ_URL", "PGPASSWORD", "PGHOST",
                ]
            ),
            (.postgres, []),
        ]
    )
    func onlyWhatTheyNeed(_ kind: ChildEnvironment, _ own: [String]) {
        let variables = kind.variables(of: Self.environment)
        #expect(Set(variables.keys) == Self.common.union(own))
        for (name, value) in variables { #expect(value == Self.environment[name]) }
    }
}
