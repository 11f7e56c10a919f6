import CarillonCore
import CarillonJSON
import HTTPTypes
import Testing

@testable import CarillonGateway

/// The RPC request, the status and the body of every route.
@Suite struct RouteTests {
    struct Mapping: Sendable {
        var method: Method
        var uri: String
        var body: String?
        var request: String
        var arguments: JSONValue
        var answer: JSONValue
        var status = 200
    }

    static let mappings: [Mapping] = [
        Mapping(
            method: .post,
            uri: "/api/v1/jobs",
            body: #"{"schedule": "@daily", "api_url": "http://a/b"}"#,
            request: "create_job",
            arguments: ["schedule": "@daily", "api_url": "http://a/b"],
            answer: Examples.job,
            status: 201
        ),
        Mapping(
            method: .get,
            uri: "/api/v1/jobs/\(jobID)",
            request: "get_job",
            arguments: ["job_id": .string(jobID)],
            answer: Examples.job
        ),
        Mapping(
            method: .put,
            uri: "/api/v1/jobs/\(jobID)",
            body: #"{"priority": 5, "name": null, "tags": []}"#,
            request: "update_job",
            arguments: ["job_id": .string(jobID), "priority": 5, "name": nil, "tags": []],
            answer: Examples.job
        ),
        Mapping(
            method: .patch,
            uri: "/api/v1/jobs/\(jobID)/",
            body: #"{"active": false}"#,
            request: "update_job",
            arguments: ["job_id": .string(jobID), "active": false],
            answer: Examples.job
        ),
        Mapping(
            method: .post,
            uri: "/api/v1/jobs/\(jobID)/run",
            request: "run_job",
            arguments: ["job_id": .string(jobID)],
            answer: Examples.manualExecution,
            status: 202
        ),
        Mapping(
            method: .post,
            uri: "/api/v1/jobs/\(jobID)/pause",
            request: "pause_job",
            arguments: ["job_id": .string(jobID)],
            answer: Examples.job
        ),
        Mapping(
            method: .post,
            uri: "/api/v1/jobs/\(jobID)/resume",
            body: "{}",
            request: "resume_job",
            arguments: ["job_id": .string(jobID)],
            answer: Examples.job
        ),
        Mapping(
            method: .get,
            uri: "/api/v1/executions/\(jobID)/latest",
            request: "get_latest_execution",
            arguments: ["job_id": .string(jobID)],
            answer: Examples.execution
        ),
        Mapping(
            method: .get,
            uri: "/api/v1/executions/\(jobID)/stats?from=2026-01-01T00:00:00+02:00&to=2026-01-02T00:00:00Z",
            request: "get_execution_stats",
            arguments: [
                "job_id": .string(jobID), "from": "2026-01-01T00:00:00+02:00", "to": "2026-01-02T00:00:00Z",
            ],
            answer: Examples.stats
        ),
        Mapping(
            method: .get,
            uri: "/api/v1/executions/\(jobID)/\(executionID)",
            request: "get_execution",
            arguments: ["job_id": .string(jobID), "execution_id": .string(executionID)],
            answer: Examples.retriedExecution
        ),
        Mapping(
            method: .post,
            uri: "/api/v1/executions/\(jobID)/\(executionID)/cancel/",
            request: "cancel_execution",
            arguments: ["job_id": .string(jobID), "execution_id": .string(executionID)],
            answer: Examples.cancelledExecution,
            status: 202
        ),
        Mapping(
            method: .post,
            uri: "/api/v1/debug/execute_sync",
            body: #"{"api_url": "http://a/b"}"#,
            request: "execute_now",
            arguments: ["api_url": "http://a/b", "wait": true],
            answer: Examples.executedNow
        ),
        Mapping(
            method: .post,
            uri: "/api/v1/debug/refresh_schedule",
            request: "refresh_schedule",
            arguments: [:],
            answer: ["status": "SCHEDULE_REFRESHED", "jobs": 3]
        ),
        Mapping(
            method: .get,
            uri: "/api/v1/cron/preview?schedule=*/5+*+*+*+*&time_zone=Etc/GMT+5&count=3",
            request: "preview_schedule",
            arguments: ["schedule": "*/5 * * * *", "time_zone": "Etc/GMT+5", "count": 3],
            answer: Examples.preview
        ),
    ]

    @Test(arguments: mappings) func mapsToARequest(_ mapping: Mapping) async throws {
        let scheduler = FakeScheduler([mapping.request: mapping.answer])
        let answer = try await ask(scheduler, mapping.method, mapping.uri, mapping.body)
        #expect(answer.status == mapping.status)
        #expect(try answer.json == mapping.answer)
        #expect(answer.headers[.contentType] == "application/json")
        #expect(scheduler.calls.map(\.name) == [mapping.request])
        #expect(scheduler.calls.first?.arguments == mapping.arguments)
    }

    @Test func aNewJobSaysWhereItIs() async throws {
        let scheduler = FakeScheduler(["create_job": Examples.job])
        let answer = try await ask(scheduler, .post, "/api/v1/jobs", #"{"schedule": "@daily", "api_url": "http://a"}"#)
        #expect(answer.headers[.location] == "/api/v1/jobs/\(jobID)")
        #expect(answer.headers[.eTag] == "\"1\"")
    }

    @Test func deleteHasNoBody() async throws {
        let scheduler = FakeScheduler(["delete_job": ["job_id": .string(jobID)]])
        let answer = try await ask(scheduler, .delete, "/api/v1/jobs/\(jobID)")
        #expect(answer.status == 204)
        #expect(answer.text.isEmpty)
    }

    @Test func executeAnswersFiveFields() async throws {
        let scheduler = FakeScheduler(["execute_now": Examples.executedNow])
        let answer = try await ask(scheduler, .post, "/api/v1/debug/execute", #"{"api_url": "http://a/b"}"#)
        #expect(answer.status == 202)
        guard case .object(let members) = try answer.json else { throw NotAnObject() }
        #expect(members.map(\.name) == ["execution_id", "job_id", "api_url", "scheduled_time", "status"])
        #expect(scheduler.calls.first?.arguments == ["api_url": "http://a/b"])
    }

    struct NotAnObject: Error {}

    @Test func anExecutionAlwaysHasItsFailedAttempts() async throws {
        let scheduler = FakeScheduler(["get_execution": Examples.execution])
        let answer = try await ask(scheduler, .get, "/api/v1/executions/\(jobID)/\(executionID)")
        #expect(try answer.json["failed_attempts"] == [])
    }

    @Test func headIsGetWithoutABody() async throws {
        let scheduler = FakeScheduler(["get_job": Examples.job])
        let get = try await ask(scheduler, .get, "/api/v1/jobs/\(jobID)")
        let head = try await ask(scheduler, .head, "/api/v1/jobs/\(jobID)")
        #expect(head.status == 200)
        #expect(head.text.isEmpty)
        #expect(head.headers[.contentLength] == String(get.text.utf8.count))
        #expect(head.headers[.eTag] == get.headers[.eTag])
    }

    @Test func theClusterHasTheSchedulersOfTheGateway() async throws {
        let peer = ConnectedScheduler(
            scheduler: "localhost:7070",
            address: "127.0.0.1:7070",
            serverID: .zero,
            version: "0.1.0"
        )
        let scheduler = FakeScheduler(["get_cluster": ["leading": true]], connected: [peer])
        let cluster = try await ask(scheduler, .get, "/api/v1/cluster").json
        #expect(cluster["leading"] == true)
        #expect(cluster["schedulers"]?.array?.first?["scheduler"] == "localhost:7070")
    }

    @Test func aRequestsOwnNameIsGivenBack() async throws {
        let answer = try await ask(FakeScheduler(), .get, "/livez", headers: [.requestID: "abc-1"])
        #expect(answer.headers[.requestID] == "abc-1")
        #expect(try await ask(FakeScheduler(), .get, "/livez", headers: [.requestID: "a b"]).headers[.requestID] == nil)
    }
}

/// Lists: filters and pages.
@Suite struct ListTests {
    @Test func filtersBecomeFields() async throws {
        let scheduler = FakeScheduler(["list_jobs": ["jobs": [Examples.job], "total_count": 7]])
        let answer = try await ask(
            scheduler,
            .get,
            "/api/v1/jobs?active=true&name=a%20b&tag=x+y&last_status=FAILED&limit=2"
        )
        #expect(answer.status == 200)
        #expect(try answer.json == [Examples.job])
        #expect(answer.headers[.totalCount] == "7")
        #expect(answer.headers[.link] == nil)
        #expect(
            scheduler.calls.first?.arguments == [
                "active": true, "name": "a b", "tag": "x y", "last_status": "FAILED", "limit": 2,
            ]
        )
    }

    @Test func aLinkKeepsTheFilters() async throws {
        let scheduler = FakeScheduler(["list_jobs": ["jobs": [], "next_cursor": "next&one"]])
        let answer = try await ask(scheduler, .get, "/api/v1/jobs/?tag=x%26y&limit=2&cursor=old")
        #expect(answer.headers[.link] == "</api/v1/jobs?tag=x%26y&limit=2&cursor=next%26one>; rel=\"next\"")
        #expect(answer.headers[.totalCount] == nil)
    }

    @Test(arguments: ["status=FAILED,UNKNOWN", "status=FAILED&status=UNKNOWN"])
    func severalStatuses(_ query: String) async throws {
        let scheduler = FakeScheduler(["list_executions": ["executions": [Examples.execution]]])
        let answer = try await ask(scheduler, .get, "/api/v1/executions?\(query)&from=2026-01-01T00:00:00Z")
        #expect(try answer.json == [Examples.execution])
        #expect(
            scheduler.calls.first?.arguments == ["status": ["FAILED", "UNKNOWN"], "from": "2026-01-01T00:00:00Z"]
        )
    }

    @Test func executionsOfOneJob() async throws {
        let scheduler = FakeScheduler(["list_executions": ["executions": [], "next_cursor": "c"]])
        let answer = try await ask(scheduler, .get, "/api/v1/executions/\(jobID)?limit=5")
        #expect(scheduler.calls.first?.arguments == ["job_id": .string(jobID), "limit": 5])
        #expect(answer.headers[.link] == "</api/v1/executions/\(jobID)?limit=5&cursor=c>; rel=\"next\"")
    }

    @Test(arguments: ["+", "%2B", "%20"]) func aPlusInATime(_ plus: String) async throws {
        let scheduler = FakeScheduler(["list_executions": ["executions": []]])
        try await ask(scheduler, .get, "/api/v1/executions?from=2026-01-01T00:00:00\(plus)02:00")
        #expect(scheduler.calls.first?.arguments == ["from": "2026-01-01T00:00:00+02:00"])
    }
}
