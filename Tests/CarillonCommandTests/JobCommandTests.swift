import CarillonCore
import CarillonJSON
import Testing

@testable import CarillonCommand

@Suite struct JobCommandTests {
    private static let id = JSONValue.string(Sample.jobID)

    @Test func aJobWithAllSettings() async {
        let outcome = await run(
            [
                "job", "create", "--name", "backup", "--schedule", "0 0 3 * * *", "--url", "https://example.org/backup",
                "--description", "every night", "--time-zone", "Europe/Berlin", "--dst-policy", "skip", "--method",
                "PUT",
                "--header", "Authorization: Bearer a:b", "--header", "X-A: 1", "--header", "x-a:2", "--body",
                "@body.json",
                "--execution-type", "at-most-once", "--timeout", "10m", "--max-retries", "0", "--retry-initial-delay",
                "500ms",
                "--retry-max-delay", "PT1M", "--catch-up-policy", "none", "--catch-up-window", "1.5",
                "--overlap-policy", "SKIP",
                "--priority", "-5", "--starts-at", "tomorrow", "--ends-at", "2027-01-01T00:00:00+01:00", "--tag",
                "nightly",
                "--tag", "eu", "--paused", "--idempotency-key", "k1",
            ],
            files: ["body.json": "{\"a\": 1}"]
        )
        #expect(outcome.status == 0 && outcome.errors == "")
        #expect(outcome.requests.map(\.name) == ["create_job", "preview_schedule"])
        guard case .object(var members)? = outcome.requests.first?.arguments else { return #expect(Bool(false)) }
        // The same command always has the same fingerprint.
        let fingerprint = members.removeLast()
        #expect(fingerprint.name == "fingerprint" && fingerprint.value.string?.count == 64)
        #expect(
            JSONValue.object(members) == [
                "schedule": "0 0 3 * * *", "api_url": "https://example.org/backup", "execution_type": "AT_MOST_ONCE",
                "name": "backup", "description": "every night", "time_zone": "Europe/Berlin", "dst_policy": "SKIP",
                "http_method": "PUT", "headers": ["Authorization": "Bearer a:b", "X-A": "1, 2"], "body": "{\"a\": 1}",
                "timeout_seconds": .number(600), "max_retries": 0, "retry_initial_delay_seconds": .number(0.5),
                "retry_max_delay_seconds": .number(60), "catch_up_policy": "NONE",
                "catch_up_window_seconds": .number(1.5),
                "overlap_policy": "SKIP", "priority": -5, "starts_at": "2026-11-26T00:00:00Z",
                "ends_at": "2026-12-31T23:00:00Z", "tags": ["nightly", "eu"], "active": false, "idempotency_key": "k1",
            ]
        )
    }

    @Test func aJobNeedsNoMoreThanTwoSettings() async {
        let outcome = await run(["job", "create", "--schedule", "@daily", "--url", "http://x"])
        #expect(outcome.requests.first == .init("create_job", ["schedule": "@daily", "api_url": "http://x"]))
        #expect(outcome.output.hasPrefix("job             \(Sample.jobID)\nname            report\n"))
        #expect(outcome.output.contains("retry delay     2s, doubling up to 30s\n"))
        #expect(outcome.output.contains("header          X-A: 1\n"))
        #expect(!outcome.output.contains("body"))
    }

    @Test func aJobFromAnother() async throws {
        // `job create --file` accepts the output of `job get -o json`.
        let printed = await run(["job", "get", Sample.jobID, "-o", "json"])
        let made = await run(["job", "create", "--file", "-", "--name", "report-2"], input: [printed.output])
        #expect(made.status == 0)
        let arguments = try #require(made.requests.first?.arguments)
        #expect(
            arguments["name"] == "report-2" && arguments["schedule"] == "0 9 * * *"
                && arguments["tags"] == ["nightly", "eu"]
        )
        for name in ["job_id", "version", "created_at", "next_run_time", "schedule_description", "body", "description"]
        {
            #expect(arguments[name] == nil, "\(name)")
        }
    }

    @Test(arguments: [
        (["--file", "a.json"], "a.json is not JSON: line 1, column 2: expected a name in quotes or '}'", 65 as Int32),
        (["--file", "b.json"], "b.json is an array; it must be an object with a job's settings", 65),
        (["--file", "c.json"], "c.json cannot be read: No such file or directory", 66),
        (["--body", "@c.json"], "c.json cannot be read: No such file or directory", 66),
        (["--file", "-", "--body", "-"], "--file - and --body - cannot both read standard input", 64),
        (["--header", "nothing"], "--header \"nothing\" is not \"Name: value\"", 64),
    ])
    func settingsThatCannotBeRead(arguments: [String], message: String, status: Int32) async {
        let outcome = await run(["job", "create"] + arguments, files: ["a.json": "{,", "b.json": "[]"])
        #expect(outcome.status == status)
        #expect(outcome.errors == "error: \(message)\n")
        #expect(outcome.requests.isEmpty)
    }

    @Test(arguments: [
        ["--timeout", "soon"], ["--starts-at", "noon"], ["--max-retries", "many"], ["--colour", "red"], ["extra"],
    ])
    func aWrongCommandLine(arguments: [String]) async {
        let outcome = await run(["job", "create", "--schedule", "@daily"] + arguments)
        #expect(outcome.status == 64)
        #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.contains("carillon job create"))
        #expect(outcome.requests.isEmpty && outcome.output == "")
    }

    @Test func jobsByName() async {
        for (command, request) in [
            ("get", "get_job"), ("pause", "pause_job"), ("resume", "resume_job"), ("run", "run_job"),
        ] {
            let outcome = await run(["job", command, "report"])
            #expect(outcome.status == 0)
            #expect(
                outcome.requests == [
                    .init("list_jobs", ["name": "report", "limit": 2]), .init(request, ["job_id": Self.id]),
                ]
            )
        }
        let unknown = await run(["job", "get", "nobody"])
        #expect(unknown.status == 66)
        #expect(unknown.errors.hasPrefix("error: job \"nobody\" does not exist"))
    }

    @Test func jobsByID() async {
        let outcome = await run(["job", "get", Sample.jobID.uppercased()])
        #expect(outcome.requests == [.init("get_job", ["job_id": Self.id])])
    }

    @Test func listingJobs() async {
        let outcome = await run(
            ["jobs", "list", "--active", "--name", "report", "--tag", "eu", "--last-status", "failed", "--limit", "7"])
        #expect(
            outcome.requests == [
                .init(
                    "list_jobs",
                    ["active": true, "name": "report", "tag": "eu", "last_status": "FAILED", "limit": 7]
                )
            ]
        )
        #expect(
            outcome.output == """
                JOB       NAME    SCHEDULE                 LAST    NEXT RUN              CALLS
                00000001  report  0 9 * * * Europe/Berlin  FAILED  2026-11-26T08:00:00Z  POST https://example.org/report

                """
        )
        #expect(
            await run(["job", "list", "--no-active"]).requests.first?.arguments == ["active": false, "limit": 100]
        )
    }

    @Test func listsThatAreEmpty() async {
        let none = FakeScheduler { _, _ throws(ClientError) in ["jobs": []] }
        let table = await run(["job", "list"], scheduler: none)
        #expect(table.status == 0 && table.output == "" && table.errors == "nothing found\n")
        #expect(await run(["job", "list", "-o", "json"], scheduler: none).output == "[]\n")
    }

    @Test func allPages() async {
        let pages = FakeScheduler { _, arguments throws(ClientError) in
            switch arguments["cursor"]?.string {
            case nil: ["jobs": [Sample.job, Sample.job], "next_cursor": "2"]
            case "2": ["jobs": [Sample.job], "next_cursor": "3"]
            default: ["jobs": [Sample.job]]
            }
        }
        let all = await run(["job", "list", "--all", "--output", "json"], scheduler: pages)
        #expect(all.requests.map { $0.arguments["limit"] } == [1000, 1000, 1000])
        #expect(all.json?.array?.count == 4)
        let some = await run(["job", "list", "--limit", "3"], scheduler: pages)
        // The last status is requested once for each page.
        #expect(some.requests.dropFirst(3).map { $0.arguments["limit"] } == [3, 3, 1, 1])
        #expect(some.errors == "there are more results; use --all or a larger --limit\n")
    }

    @Test func changingAJob() async {
        let outcome = await run([
            "job", "update", Sample.jobID, "--schedule", "0 10 * * *", "--clear", "body", "--clear",
            "catch-up-window-seconds",
            "--if-version", "3",
        ])
        #expect(
            outcome.requests.first
                == .init(
                    "update_job",
                    [
                        "job_id": Self.id, "schedule": "0 10 * * *", "body": nil, "catch_up_window_seconds": nil,
                        "if_version": [3],
                    ]
                )
        )
        let nothing = await run(["job", "update", "report"])
        #expect(nothing.status == 64 && nothing.errors.hasPrefix("error: nothing to change"))
        let both = await run(["job", "update", "report", "--name", "x", "--clear", "name"])
        #expect(
            both.status == 64 && both.errors == "error: name is both set and cleared; leave one of them out\n"
        )
    }

    @Test func deletingAJob() async {
        let outcome = await run(["job", "delete", Sample.jobID, "--if-version", "2", "--yes"])
        #expect(outcome.requests == [.init("delete_job", ["job_id": Self.id, "if_version": [2]])])
        #expect(outcome.output == "deleted \(Sample.jobID)\n")
        #expect(await run(["job", "delete", "report", "-o", "json"]).json == ["job_id": Self.id])
    }

    @Test func runningAJob() async {
        let first = await run(["job", "run", Sample.jobID, "--idempotency-key", "k"])
        let again = await run(["job", "run", Sample.jobID, "--idempotency-key", "k"])
        #expect(first.arguments == again.arguments && first.arguments?["fingerprint"] != nil)
        #expect(first.output.contains("status       PENDING\n"))
    }
}
