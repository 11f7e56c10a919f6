import CarillonCore
import CarillonJSON
import Synchronization
import Testing

@testable import CarillonCommand

@Suite struct ClusterAndCallTests {
    @Test func theCluster() async {
        let outcome = await run(["cluster"])
        #expect(outcome.requests == [.init("get_cluster", [:])])
        for line in [
            "state         leading", "jobs          12, 10 active", "workers       1, 255 of 256 slots free",
            "time zones    2026a",
        ] {
            #expect(outcome.output.contains(line + "\n"), "\(line)")
        }
        let lines = outcome.output.split(separator: "\n")
        #expect(
            lines.contains { $0.hasPrefix("0-1, 3  127.0.0.1:7070      4") } && lines.contains { $0.hasPrefix("2  ") }
        )
        #expect(await run(["cluster", "--output", "json"]).json == Sample.cluster)
    }

    @Test func anyRequest() async {
        let outcome = await run(["call", "list-executions", "{\"status\": [\"FAILED\"], \"limit\": 5}"])
        #expect(outcome.requests == [.init("list_executions", ["status": ["FAILED"], "limit": 5])])
        #expect(outcome.json?["executions"]?.array?.count == 2)
        let piped = await run(["call", "get_job", "-"], input: ["{\"job_id\":", "\"x\"}"])
        #expect(piped.requests == [.init("get_job", ["job_id": "x"])])
        #expect(await run(["call", "refresh_schedule"]).requests == [.init("refresh_schedule", [:])])
    }

    @Test func aCallThatWatches() async {
        let scheduler = FakeScheduler(watched: [Sample.execution()], Sample.answer)
        let outcome = await run(["call", "watch_executions"], scheduler: scheduler)
        #expect(outcome.jsonLines == [Sample.execution()])
    }

    @Test func wrongCalls() async {
        let unknown = await run(["call", "get_jobs"])
        #expect(
            unknown.status == 65
                && unknown.errors.contains("unknown request \"get_jobs\"; the requests are create_job, ")
        )
        let json = await run(["call", "get_job", "{job_id: 1}"])
        #expect(json.status == 65)
        #expect(
            json.errors
                == "error: the fields of get_job are not JSON: line 1, column 2: expected a name in quotes or '}'\n"
        )
        let nothing = await run(["call"])
        #expect(nothing.status == 64 && nothing.errors.contains("`carillon call --list` lists the messages"))
        #expect([unknown, json, nothing].allSatisfy { $0.requests.isEmpty })
    }

    @Test func theRequests() async throws {
        let table = await run(["call", "--list"])
        #expect(table.status == 0 && table.connection == nil)
        for name in MessageJSON.requestNames { #expect(table.output.contains("\n\(name)"), "\(name)") }
        let one = await run(["call", "--list", "delete-job", "-o", "json"])
        let fields = try #require(one.json?["delete_job"]?.array)
        #expect(fields.first?["field"] == "job_id" && fields.first?["required"] == true)
        #expect(await run(["call", "--list", "nothing"]).status == 65)
    }

    @Test func roundTrips() async {
        let trips = (1...100).map { Result<Int64, ClientError>.success(Int64($0) * 1000) }
        let outcome = await run(
            ["ping", "--count", "100", "-o", "json"],
            scheduler: FakeScheduler(pings: trips, Sample.answer)
        )
        #expect(outcome.status == 0)
        guard case .object(let members)? = outcome.json else { return #expect(Bool(false)) }
        #expect(
            JSONValue.object(members.dropLast()) == [
                "addresses": ["127.0.0.1:7070"], "answered": 100, "failed": 0, "min_ms": 1, "avg_ms": .number(50.5),
                "p50_ms": 50, "p90_ms": 90, "p95_ms": 95, "p99_ms": 99, "max_ms": 100,
            ]
        )
        let table = await run(["ping", "--count", "64", "--concurrency", "8"])
        #expect(table.output.contains("answered   64 of 64\nmin        0.100 ms\n"))
    }

    @Test func pingsThatFail() async {
        let gone = ClientError(.unavailable, "nobody answers at 127.0.0.1:7070")
        let none = await run(
            ["ping", "--count", "3"],
            scheduler: FakeScheduler(pings: [.failure(gone)], Sample.answer)
        )
        #expect(none.status == 69 && none.output == "" && none.errors == "error: nobody answers at 127.0.0.1:7070\n")
        let some = await run(
            ["ping", "--count", "3"],
            scheduler: FakeScheduler(pings: [.success(5), .failure(gone), .success(7)], Sample.answer)
        )
        #expect(some.status == 0 && some.output.contains("answered      2 of 3\n"))
        #expect(some.output.contains("last failure  nobody answers"))
        for wrong in [["--count", "0"], ["--concurrency", "0"], ["--count", "x"]] {
            #expect(await run(["ping"] + wrong).status == 64)
        }
    }

    @Test func waitingForASchedulerIsReportedOnce() async throws {
        let errors = Mutex("")
        let caller = try RPCCaller(schedulers: ["127.0.0.1:1"], timeoutMs: nil, silence: .milliseconds(5)) { text in
            errors.withLock { $0 += text }
        }
        let waiting = [Task { _ = try await caller.call("get_cluster", [:]) }, Task { _ = try await caller.ping() }]
        while errors.withLock({ $0.isEmpty }) { try await Task.sleep(for: .milliseconds(5)) }
        for task in waiting {
            task.cancel()
            await #expect(throws: ClientError.self) { try await task.value }
        }
        let told = errors.withLock { $0 }
        #expect(told.hasPrefix("waiting for a scheduler: 127.0.0.1:1 (") && told.split(separator: "\n").count == 1)
    }

    @Test func immediateErrorIsNotPrecededByAWaitingMessage() async throws {
        let errors = Mutex("")
        let caller = try RPCCaller(schedulers: ["127.0.0.1:1"], timeoutMs: 200, silence: .milliseconds(150)) { text in
            errors.withLock { $0 += text }
        }
        await #expect(throws: ClientError.self) { try await caller.call("get_cluster", [:]) }
        #expect(errors.withLock { $0 } == "")
    }
}
