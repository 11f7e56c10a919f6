import CarillonCore
import CarillonJSON
import Testing

@testable import CarillonCommand

@Suite struct ExecutionCommandTests {
    private static let ids: JSONValue = ["job_id": .string(Sample.jobID), "execution_id": .string(Sample.executionID)]

    @Test func failedExecutionsOfATimeRange() async {
        let outcome = await run(["execution", "list", "--status", "FAILED", "--from", "yesterday"])
        #expect(
            outcome.requests == [
                .init("list_executions", ["status": ["FAILED"], "from": "2026-11-24T00:00:00Z", "limit": 100])
            ]
        )
        let lines = outcome.output.split(separator: "\n")
        #expect(lines.count == 3)
        #expect(lines[0].hasPrefix("EXECUTION  JOB ") && lines[0].hasSuffix("DETAILS"))
        #expect(lines[1].contains("SUCCESS   200         1    125 ms  1.50 ms"))
    }

    @Test func oneJob() async {
        let outcome = await run([
            "executions", "list", "report", "--status", "failed, retrying", "--status", "at-risk", "--from", "-2h",
            "--to", "now",
            "--limit", "5",
        ])
        #expect(
            outcome.arguments == [
                "job_id": .string(Sample.jobID), "status": ["FAILED", "RETRYING", "AT_RISK"],
                "from": "2026-11-25T10:34:56.789Z",
                "to": "2026-11-25T12:34:56.789Z", "limit": 5,
            ]
        )
        #expect(!outcome.output.contains("  JOB "))
    }

    @Test func jsonIsAnArray() async {
        let outcome = await run(["execution", "list", "-o", "json"])
        #expect(outcome.json == [Sample.execution(), Sample.execution("FAILED")])
    }

    @Test func oneExecution() async {
        let outcome = await run(["execution", "get", Sample.jobID, Sample.executionID])
        #expect(outcome.requests == [.init("get_execution", Self.ids)])
        #expect(outcome.output.contains("status       FAILED\n") && outcome.output.contains("drift        1.50 ms\n"))
        #expect(outcome.output.contains("\nfailed attempts\nATTEMPT  STARTED"))
        #expect(await run(["execution", "latest", "report"]).requests.last?.name == "get_latest_execution")
        #expect(
            await run(["execution", "cancel", Sample.jobID, Sample.executionID]).requests == [
                .init("cancel_execution", Self.ids)
            ]
        )
    }

    @Test func anAttemptThatWasLostIsTold() async {
        let scheduler = FakeScheduler { name, arguments throws(ClientError) in
            guard case .object(var members) = Sample.execution() else { return nil }
            members.append(.init("lost_attempts", 2))
            let execution = JSONValue.object(members)
            return name == "get_execution" ? execution : ["executions": [execution]]
        }
        let one = await run(["execution", "get", Sample.jobID, Sample.executionID], scheduler: scheduler)
        #expect(
            one.output.contains("lost attempts  2, because workers disappeared; the target may have received them\n")
        )
        let list = await run(["execution", "list", Sample.jobID], scheduler: scheduler)
        #expect(list.output.contains("2 attempts lost"))
    }

    @Test func aJobThatNeverRunsSaysSo() async {
        let scheduler = FakeScheduler { _, _ throws(ClientError) in
            guard case .object(var members) = Sample.job else { return nil }
            members.removeAll { $0.name == "next_run_time" }
            return .object(members + [.init("next_run_time", nil)])
        }
        let job = await run(["job", "get", Sample.jobID], scheduler: scheduler)
        #expect(job.output.contains("never\n"))
    }

    @Test func stats() async {
        let outcome = await run(["execution", "stats", "report", "--from", "2026-11-01"])
        #expect(
            outcome.requests.last
                == .init("get_execution_stats", ["job_id": .string(Sample.jobID), "from": "2026-11-01T00:00:00Z"])
        )
        #expect(outcome.output.contains("success rate  99.50 %\n"))
        #expect(outcome.output.contains("duration      avg 12.3 ms, p50 10.0 ms, p95 20.0 ms, p99 40.0 ms\n"))
        #expect(await run(["execution", "stats", "report", "-o", "json"]).json == Sample.stats)
    }

    @Test func watching() async {
        let scheduler = FakeScheduler(watched: [Sample.execution("RUNNING"), Sample.execution()], Sample.answer)
        let table = await run(["execution", "watch", "--count", "2"], scheduler: scheduler)
        #expect(table.status == 0 && table.requests == [.init("watch_executions", [:])])
        // Each change is printed immediately.
        #expect(table.writes == 2 && table.output.split(separator: "\n").count == 3)
        let json = await run(["execution", "watch", "report", "-o", "json", "--count", "1"], scheduler: scheduler)
        #expect(json.jsonLines == [Sample.execution("RUNNING")])
        #expect(json.arguments == ["job_id": .string(Sample.jobID)])
        let ended = await run(["execution", "watch"], scheduler: scheduler)
        #expect(ended.status == 69 && ended.errors.hasPrefix("error: the scheduler ended the watch"))
    }
}
