import CarillonCore
import CarillonCron
import CarillonJSON
import CarillonSystem
import CarillonWire
import Testing

@testable import CarillonCommand

/// Tables in narrow terminals, and times in time zones.
@Suite struct NarrowTableTests {
    private static let berlin = try? ZoneDirectory().zone(named: "Europe/Berlin")
    private static let jobs = [
        "nightly-report", "a-very-long-name-that-nobody-can-read-in-a-narrow-terminal", "名前がとても長いジョブ名前がとても長い",
    ].enumerated().map { index, name in
        JobStore.job(
            "019abcde-0000-7000-8000-0000aabbcc0\(index)",
            name,
            schedule: index == 1 ? "0 0,5,10,15,20,25,30,35,40,45,50,55 9-17 * * MON-FRI" : "0 9 * * *",
            url: "https://hooks.example.org/a/long/path/to/an/endpoint"
        )
    }
    private static let error = "could not resolve host hooks.internal.example.org: name or service not known"
    private var store: JobStore {
        JobStore(
            jobs: Self.jobs,
            executions: ["SUCCESS", "CANCELLED", "FAILED", "RETRYING"].enumerated().map { index, status in
                JobStore.execution(
                    "019abcde-1111-8000-8000-0000aabbcc0\(index)",
                    job: "019abcde-0000-7000-8000-0000aabbcc00",
                    status: status,
                    error: index == 0 ? nil : Self.error
                )
            },
            failed: ["019abcde-0000-7000-8000-0000aabbcc01"]
        )
    }

    private func lines(_ arguments: [String], width: Int?) async throws -> [String] {
        let zone = try #require(Self.berlin)
        let outcome = await run(
            arguments,
            scheduler: store.scheduler,
            environment: ["NO_COLOR": "1"],
            terminalWidth: width,
            localZone: zone
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map(String.init)
    }

    @Test(arguments: [20, 40, 60, 79, 80, 81, 100, 120, 160, 200, 300])
    func nothingWraps(width: Int) async throws {
        for arguments in [["job", "list"], ["execution", "list"], ["execution", "list", "nightly-report"]] {
            let lines = try await lines(arguments, width: width)
            #expect(lines.count == (arguments[0] == "job" ? 4 : 5))
            for line in lines { #expect(TerminalText.width(of: line) <= width, "\(line)") }
        }
    }

    @Test func jobsInEightyColumns() async throws {
        let lines = try await lines(["job", "list"], width: 80)
        #expect(lines[0].split(separator: " ") == ["JOB", "NAME", "SCHEDULE", "LAST", "NEXT", "RUN"])
        #expect(lines[1].hasPrefix("aabbcc00  nightly-report "))
        #expect(lines[2].contains("  a-very-long-name-that") && lines[2].contains("  FAILED  "))
        for line in lines.dropFirst() { #expect(line.hasSuffix("  2026-11-26 09:00:00")) }
    }

    @Test func executionsInEightyColumns() async throws {
        let all = try await lines(["execution", "list"], width: 80)
        #expect(all[0].split(separator: " ").prefix(4) == ["EXECUTION", "JOB", "SCHEDULED", "STATUS"])
        #expect(all[3].contains("could not resolve h"))
        let one = try await lines(["execution", "list", "nightly-report"], width: 80)
        #expect(one[0].split(separator: " ").prefix(4) == ["EXECUTION", "SCHEDULED", "STATUS", "HTTP"])
        #expect(one[3].hasPrefix("aabbcc02   2026-11-25 09:00:00  FAILED"))
        #expect(one[3].contains("could not resolve host hook"))
    }

    @Test func wideTerminalsShowEverything() async throws {
        let lines = try await lines(["execution", "list", "nightly-report"], width: 200)
        #expect(lines[0].contains("ATTEMPTS  DURATION    DRIFT  DETAILS"))
        #expect(lines[3].hasPrefix("aabbcc02   2026-11-25T09:00:00+01:00  FAILED") && lines[3].hasSuffix(Self.error))
    }

    @Test func rowsThatComeLaterDoNotWrapEither() async {
        let narrow = JobStore.execution("019abcde-1111-8000-8000-0000aabbcc00")
        let wide = JobStore.execution("019abcde-1111-8000-8000-0000aabbcc01", status: "CANCELLED", error: Self.error)
        let scheduler = FakeScheduler(watched: [narrow, wide, narrow], Sample.answer)
        for width in [80, 100, 120] {
            let outcome = await run(
                ["execution", "watch", "--count", "3"],
                scheduler: scheduler,
                environment: ["NO_COLOR": "1"],
                terminalWidth: width
            )
            let lines = outcome.output.split(separator: "\n").map(String.init)
            #expect(lines.count == 4 && lines.allSatisfy { TerminalText.width(of: $0) <= width }, "\(outcome.output)")
        }
    }

    @Test func theLastStatusIsAskedForOnceAPage() async {
        var store = store
        store.pageSize = 2
        store.failed = ["019abcde-0000-7000-8000-0000aabbcc02"]
        let outcome = await run(["job", "list"], scheduler: store.scheduler)
        #expect(outcome.output.split(separator: "\n").map { $0.contains("  FAILED  ") } == [false, false, false, true])
        // The first response contained all failed jobs.
        #expect(outcome.requests.filter { $0.arguments["last_status"] != nil }.count == 1)
        let json = await run(["job", "list", "-o", "json"], scheduler: store.scheduler)
        #expect(json.requests.allSatisfy { $0.arguments["last_status"] == nil })
    }

    @Test func pausedJobs() async {
        guard case .object(let members) = Self.jobs[0] else { return }
        let paused = members.filter { !["active", "next_run_time"].contains($0.name) } + [.init("active", false)]
        let outcome = await run(["job", "list"], scheduler: JobStore(jobs: [.object(paused)]).scheduler)
        #expect(outcome.output.contains("  paused  "))
    }

    // MARK: Times

    @Test func timesInZones() throws {
        let berlin = TimeFormat(zone: try #require(Self.berlin))
        #expect(berlin.text("2026-07-01T08:00:00.250Z") == "2026-07-01T10:00:00.250+02:00")
        #expect(berlin.compact("2026-11-25T23:30:00Z") == "2026-11-26 00:30:00")
        #expect(berlin.dayAndTime("2026-11-25T23:30:00Z") == "Thu 2026-11-26T00:30:00+01:00")
        #expect(TimeFormat.utc.text("2026-11-25T08:00:00.123Z") == "2026-11-25T08:00:00.123Z")
        #expect(berlin.text("soon") == "soon" && berlin.text(nil) == "")
        // Repeated, skipped, and ordinary local times.
        for (local, utc) in [
            ("2026-10-25T02:30:00", "2026-10-25T00:30:00Z"), ("2026-03-29T02:30:00", "2026-03-29T01:00:00Z"),
            ("2026-07-01T00:00:00", "2026-06-30T22:00:00Z"), ("2026-03-29T03:00:00", "2026-03-29T01:00:00Z"),
        ] {
            #expect(berlin.range(local)?.lowerBound == RFC3339.parse(utc), "\(local)")
        }
    }

    @Test func daysBeginInTheZoneThatIsShown() async throws {
        let zone = try #require(Self.berlin)
        let local = await run(["execution", "list", "--from", "yesterday", "--to", "2026-07-01"], localZone: zone)
        #expect(local.arguments?["from"] == "2026-11-23T23:00:00Z" && local.arguments?["to"] == "2026-06-30T22:00:00Z")
        let utc = await run(["execution", "list", "--from", "yesterday", "--utc"], localZone: zone)
        #expect(utc.arguments?["from"] == "2026-11-24T00:00:00Z")
        let other = await run(["execution", "list", "--from", "today", "--time-zone", "Asia/Tokyo"], localZone: zone)
        #expect(
            other.arguments?["from"] == "2026-11-24T15:00:00Z" && other.output.contains("2026-11-25T17:00:00+09:00")
        )
    }

    @Test func zonesThatAreNone() async {
        let unknown = await run(["job", "list", "--time-zone", "Europe/Berln"])
        #expect(unknown.status == 65 && unknown.errors.contains("--time-zone: ") && unknown.requests.isEmpty)
        let both = await run(["job", "list", "--time-zone", "UTC", "--utc"])
        #expect(both.status == 64 && both.errors.contains("--utc and --time-zone cannot be combined"))
    }

    @Test func jsonStaysInUTC() async throws {
        let outcome = await run(["job", "get", Sample.jobID, "-o", "json"], localZone: try #require(Self.berlin))
        #expect(outcome.json == Sample.job)
    }

    @Test func theZoneOfTheMachine() {
        let path = ZoneDirectory().path
        #expect(LocalZone.rules("Asia/Tokyo", directory: path).offset(at: 0).seconds == 32_400)
        #expect(LocalZone.rules(":Asia/Tokyo", directory: path).offset(at: 0).seconds == 32_400)
        #expect(LocalZone.rules(nil, directory: path, machine: path + "/Asia/Tokyo").offset(at: 0).seconds == 32_400)
        for unknown in ["", "No/Where", "../../etc/passwd"] {
            #expect(LocalZone.rules(unknown, directory: path).offset(at: 0).seconds == 0)
        }
        #expect(LocalZone.rules(nil, directory: path, machine: "/nowhere").offset(at: 0).seconds == 0)
    }

    // MARK: A created job

    @Test func aNewJobShowsItsZoneAndTheNextThreeTimes() async throws {
        for arguments in [
            ["job", "create", "--schedule", "0 9 * * *", "--url", "http://x", "--utc"],
            ["job", "update", "report", "--schedule", "0 9 * * *"],
        ] {
            let outcome = await run(arguments)
            #expect(outcome.output.contains("time zone       Europe/Berlin\n"))
            #expect(
                outcome.output.contains(
                    """
                    next runs       Thu 2026-11-26T09:00:00+01:00
                                    Fri 2026-11-27T09:00:00+01:00
                                    Sat 2026-11-28T09:00:00+01:00

                    """
                ),
                "\(outcome.output)"
            )
            #expect(
                outcome.arguments == [
                    "schedule": "0 9 * * *", "from": "2026-11-26T07:59:59Z", "count": 3, "time_zone": "Europe/Berlin",
                    "dst_policy": "CRON",
                ]
            )
            let json = await run(arguments + ["-o", "json"])
            #expect(json.json == Sample.job && !json.requests.contains { $0.name == "preview_schedule" })
        }
    }

    @Test func aPreviewThatFailsDoesNotHideTheJob() async {
        let scheduler = FakeScheduler { name, _ throws(ClientError) in
            if name == "create_job" { return Sample.job }
            throw ClientError(.unavailable, "nobody leads")
        }
        let outcome = await run(["job", "create", "--schedule", "@daily", "--url", "http://x"], scheduler: scheduler)
        #expect(outcome.status == 0 && outcome.output.contains("next run        2026-11-26T08:00:00Z\n"))
    }
}
