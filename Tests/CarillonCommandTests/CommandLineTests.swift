import CarillonCore
import CarillonWire
import Testing

@testable import CarillonCommand

/// Behaviour that all commands share: options, help, exit statuses.
@Suite struct CommandLineTests {
    static let commands: [[String]] = [
        [], ["job"], ["job", "create"], ["job", "list"], ["job", "get"], ["job", "update"], ["job", "delete"],
        ["job", "pause"],
        ["job", "resume"], ["job", "run"], ["execution"], ["execution", "list"], ["execution", "get"],
        ["execution", "latest"],
        ["execution", "stats"], ["execution", "cancel"], ["execution", "watch"], ["cron"], ["cron", "next"],
        ["cron", "explain"],
        ["cron", "check"], ["cluster"], ["ping"], ["call"], ["listen"], ["up"], ["completions"],
    ]

    @Test(arguments: commands)
    func help(words: [String]) async {
        for arguments in [words + ["--help"], ["help"] + words] {
            let outcome = await run(arguments)
            #expect(outcome.status == 0 && outcome.errors == "" && outcome.connection == nil)
            #expect(outcome.output.hasPrefix("OVERVIEW: "))
            #expect(outcome.output.contains("USAGE: " + (["carillon"] + words).joined(separator: " ")))
        }
    }

    @Test func theRootShowsHelpAndEveryStatus() async {
        let outcome = await run([])
        #expect(outcome.status == 0)
        for status in ExitStatus.allCases { #expect(outcome.output.contains("\n  \(status.rawValue) "), "\(status)") }
        #expect(!outcome.output.contains("internal-run"))
    }

    @Test func version() async {
        let outcome = await run(["--version"])
        #expect(outcome.status == 0 && outcome.output == Carillon.version + "\n")
    }

    @Test func unknownWords() async {
        let outcome = await run(["jbo", "list"])
        #expect(outcome.status == 64 && outcome.errors.hasPrefix("error: ") && outcome.output == "")
        #expect(await run(["job", "lst"]).status == 64)
    }

    @Test(arguments: ["abc", "-3", "--url"])
    func invalidDurationIsExplained(_ text: String) async {
        for option in [
            "--timeout", "--retry-initial-delay", "--retry-max-delay", "--catch-up-window", "--request-timeout",
        ] {
            let outcome = await run(["job", "create", option, text, "--schedule", "@daily", "--url", "http://a/"])
            #expect(outcome.status == 64 && outcome.connection == nil, "\(option)")
            #expect(outcome.errors.contains(": a duration is 30s, 1h30m,"), "\(option)")
        }
    }

    /// The last argument is invalid.
    @Test(
        arguments: [
            (["up", "--workers", "-1"], "--workers is -1; 0 to 64 are allowed"),
            (["up", "--max-workers", "-1"], "--max-workers is -1; 1 to 65536 are allowed"),
            (["up", "--data-dir", ""], "--data-dir is empty; give a folder"),
            (["up", "--database-url", ""], "--database-url is empty; it must look like postgresql://"),
            (
                ["up", "--database-url", "mysql://x"],
                "--database-url is not a PostgreSQL URL; it must look like postgresql://"
            ),
            (
                ["up", "--public-url", "example.com"],
                "PUBLIC_URL (--public-url) is example.com; allowed is http://HOST"
            ),
            (["up", "--allowed-hosts", "a:80"], "ALLOWED_HOSTS (--allowed-hosts) is a:80; allowed is NAME"),
            (["up", "--trusted-proxies", "a"], "TRUSTED_PROXIES (--trusted-proxies) is a; allowed is ADDRESS"),
            (["up", "--workers", "two"], ": a whole number such as 5 is needed"),
            (["up", "--gateway", "8000"], ": an address is host:port, such as 127.0.0.1:8000"),
            (["up", "--rpc", "localhost"], ": an address is host:port, such as 127.0.0.1:8000"),
            (["job", "list", "--limit", "-1"], "--limit is -1; it must be at least 1"),
            (["job", "create", "--file", ""], "--file is empty; give a file with a JSON object"),
            (["job", "list", "--limit", "1.5"], ": a whole number such as 5 is needed"),
            (["job", "list", "--request-timeout", "0"], "--request-timeout is less than a millisecond"),
            (["execution", "watch", "--count", "-2"], "--count is -2; it must be at least 1"),
            (["listen", "70000"], "the port is 70000; 0 to 65535 are allowed"),
            (["listen", "http"], ": a whole number such as 5 is needed"),
            (["listen", "--status", "99"], "--status is 99; 200 to 599 are allowed"),
            (["listen", "--delay", "2h"], "--delay is 2h; at most 1h is allowed"),
            (["listen", "--count", "0"], "--count is 0; it must be at least 1"),
            (["listen", "--host", ""], "--host is empty; give an address, such as 127.0.0.1"),
            (["ping", "--count", "-1"], "--count is -1; 1 to 10000000 are allowed"),
            (["ping", "--concurrency", "x"], ": a whole number such as 5 is needed"),
            (["cron", "next", "@daily", "--count", "x"], ": a whole number such as 5 is needed"),
            (["cron", "next", "@daily", "--from", "noon"], ": a time is 2026-11-23T09:00:00Z (RFC 3339), "),
            (["job", "update", "report", "--max-retries", "many"], ": a whole number such as 5 is needed"),
            (["job", "update", "report", "--priority", "high"], ": a whole number such as 5 is needed"),
            (["job", "update", "report", "--starts-at", "soon"], ": a time is 2026-11-23T09:00:00Z (RFC 3339), "),
            (["job", "update", "report", "--ends-at", "-"], ": a time is 2026-11-23T09:00:00Z (RFC 3339), "),
            (["job", "update", "report", "--if-version", "two"], ": a whole number such as 5 is needed"),
            (["job", "delete", "report", "--if-version", "-"], ": a whole number such as 5 is needed"),
            (["job", "list", "--limit", "99999999999999999999"], ": the number is too large"),
            (["job", "list", "--active", "--no-active"], "--active"),
            (["execution", "list", "--status", ""], "--status is empty; give a status such as FAILED"),
            (["execution", "list", "--status", ","], "--status is empty; give a status such as FAILED"),
            (["execution", "list", "--to", "noon"], ": a time is 2026-11-23T09:00:00Z (RFC 3339), "),
        ]
    )
    func aWrongValueIsToldWhatWouldBeRight(_ arguments: [String], _ rule: String) async {
        let outcome = await run(arguments)
        #expect(outcome.status == 64 && outcome.connection == nil && outcome.errors.contains(rule), "\(outcome.errors)")
        if rule.hasPrefix(":") { #expect(outcome.errors.contains("'\(arguments.last ?? "")'"), "\(outcome.errors)") }
    }

    @Test(
        arguments: [
            (["job", "list"], [:], ["127.0.0.1:7070"], nil),
            (["job", "list"], ["SCHEDULERS": "a:1, b:2,"], ["a:1", "b:2"], nil),
            (["job", "list", "--schedulers", "[::1]:7070"], ["SCHEDULERS": "a:1"], ["[::1]:7070"], nil),
            (["job", "list"], ["SCHEDULERS": ""], ["127.0.0.1:7070"], nil),
            (["job", "list", "--request-timeout", "2s"], [:], ["127.0.0.1:7070"], 2000),
            (["--schedulers", "c:3", "--request-timeout=500ms", "job", "list"], [:], ["c:3"], 500),
            (["--schedulers", "c:3", "executions", "list"], [:], ["c:3"], nil),
        ] as [([String], [String: String], [String], Int64?)]
    )
    func whereTheSchedulersAre(
        arguments: [String],
        environment: [String: String],
        addresses: [String],
        timeoutMs: Int64?
    ) async {
        let outcome = await run(arguments, environment: environment)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.connection?.addresses == addresses && outcome.connection?.timeoutMs == timeoutMs)
    }

    @Test(arguments: ["nowhere", "a:b", "a:0", "a:70000", ":", ","])
    func addressesThatAreNone(text: String) async {
        let outcome = await run(["cluster", "--schedulers", text])
        #expect(outcome.status == 64 && outcome.connection == nil && outcome.errors.contains("--schedulers"))
    }

    @Test(arguments: [
        ["-o", "json", "job", "get", Sample.jobID], ["--output=json", "jobs", "get", Sample.jobID],
        ["job", "get", Sample.jobID, "--output", "json"],
    ])
    func theOutputMayBeSaidFirst(arguments: [String]) async {
        #expect(await run(arguments).json == Sample.job)
    }

    @Test func theOutputFromTheEnvironment() async {
        #expect(await run(["job", "get", Sample.jobID], environment: ["CARILLON_OUTPUT": "JSON"]).json == Sample.job)
        #expect(
            await run(["job", "get", Sample.jobID, "-o", "table"], environment: ["CARILLON_OUTPUT": "json"]).json == nil
        )
        let wrong = await run(["cron", "next", "@daily"], environment: ["CARILLON_OUTPUT": "yaml"])
        #expect(wrong.status == 64 && wrong.errors == "error: CARILLON_OUTPUT is \"yaml\"; it must be table or json\n")
        #expect(await run(["job", "list", "-o", "xml"]).status == 64)
    }

    @Test(
        arguments: [
            (.invalidArgument, 65), (.notFound, 66), (.unavailable, 69), (.notLeader, 69), (.internal, 70),
            (.alreadyExists, 73),
            (.failedPrecondition, 75), (.resourceExhausted, 1), (.unauthenticated, 1), (.permissionDenied, 1),
            (.unimplemented, 1),
        ] as [(ClientError.Code, Int32)]
    )
    func everyErrorHasItsStatus(code: ClientError.Code, status: Int32) async {
        let outcome = await run(["cluster"], scheduler: Sample.refusing(ClientError(code, "so it is")))
        #expect(outcome.status == status && outcome.errors == "error: so it is\n" && outcome.output == "")
    }

    @Test func errorsNameFieldsAndReasons() async {
        let error = ClientError(
            .failedPrecondition,
            "the job\nis another",
            errors: [FieldError(field: "schedule", message: "is wrong\u{1B}[31m")],
            reason: .versionMismatch
        )
        let outcome = await run(["job", "pause", Sample.jobID], scheduler: Sample.refusing(error))
        #expect(outcome.errors == "error: the job is another (VERSION_MISMATCH)\n  schedule: is wrong\\u{1b}[31m\n")
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func completions(shell: String) async {
        let outcome = await run(["completions", shell])
        #expect(outcome.status == 0)
        for word in ["carillon", "execution", "cron", "dst-policy", "AT_MOST_ONCE"] {
            #expect(outcome.output.contains(word), "\(word)")
        }
        #expect(!outcome.output.contains("internal-run"))
        let same = await run(["--generate-completion-script", shell])
        #expect(same.output == outcome.output)
    }

    @Test func unknownShells() async {
        #expect(await run(["completions", "tcsh"]).status == 64)
    }
}
