import CarillonCore
import CarillonJSON
import HTTPTypes
import Testing

@testable import CarillonGateway

/// Errors of the schedulers and of the gateway.
@Suite struct ErrorTests {
    struct Expected: Sendable {
        var code: ClientError.Code
        var reason: ClientError.Reason?
        var retryable: Bool?
        var status: Int
        var retryAfter: String?
    }

    static let errors: [Expected] = [
        Expected(code: .invalidArgument, status: 400),
        Expected(code: .notFound, status: 404),
        Expected(code: .alreadyExists, reason: .nameTaken, status: 409),
        Expected(code: .alreadyExists, status: 409),
        Expected(code: .failedPrecondition, reason: .versionMismatch, status: 412),
        Expected(code: .failedPrecondition, reason: .overlap, status: 409),
        Expected(code: .failedPrecondition, reason: .alreadyFinished, status: 409),
        Expected(code: .failedPrecondition, status: 409),
        Expected(code: .failedPrecondition, reason: .idempotencyKeyReused, status: 422),
        Expected(code: .alreadyExists, reason: .idempotencyKeyReused, status: 422),
        Expected(code: .failedPrecondition, reason: .idempotencyKeyInUse, status: 409),
        Expected(code: .unavailable, reason: .idempotencyKeyInUse, status: 409),
        Expected(code: .notLeader, status: 503, retryAfter: "1"),
        Expected(code: .unavailable, status: 503, retryAfter: "1"),
        Expected(code: .unavailable, retryable: false, status: 503),
        Expected(code: .resourceExhausted, status: 429, retryAfter: "1"),
        Expected(code: .resourceExhausted, retryable: false, status: 503),
        Expected(code: .unauthenticated, status: 401),
        Expected(code: .permissionDenied, status: 403),
        Expected(code: .unimplemented, status: 501),
        Expected(code: .internal, status: 500),
    ]

    @Test(arguments: errors) func anErrorOfAScheduler(_ expected: Expected) async throws {
        let error = ClientError(
            expected.code,
            "that is why",
            errors: [FieldError(field: "name", message: "is wrong")],
            retryable: expected.retryable,
            reason: expected.reason
        )
        let answer = try await ask(FakeScheduler(failing: "get_job", error), .get, "/api/v1/jobs/\(jobID)")
        #expect(answer.status == expected.status)
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(answer.headers[.retryAfter] == expected.retryAfter)
        let problem = try answer.json
        #expect(problem["status"] == .integer(Int64(expected.status)))
        #expect(problem["code"] == .string(expected.code.rawValue))
        #expect(problem["reason"] == expected.reason.map { .string($0.rawValue) })
        #expect(problem["detail"] == "that is why")
        #expect(problem["errors"] == [["field": "name", "message": "is wrong"]])
        #expect(problem["type"] == .string("/docs#\(expected.code.rawValue)"))
        #expect(problem["title"]?.string?.isEmpty == false)
    }

    @Test(arguments: [
        ("/nope", 404), ("/api/v1", 404), ("/api/v1/jobs//run", 404), ("/%zz", 400), ("/%ff", 400), ("/api/%00", 404),
        ("/api/v1/jobs/abc", 400), ("/api/v1/executions/\(jobID)/abc", 400),
        ("/api/v1/executions/\(jobID)/latest/cancel", 404),
    ])
    func paths(_ uri: String, _ status: Int) async throws {
        let answer = try await ask(FakeScheduler(), .get, uri)
        #expect(answer.status == status)
        #expect(try answer.json["detail"]?.string?.isEmpty == false)
    }

    @Test func aWrongMethodIsToldTheRightOnes() async throws {
        let answer = try await ask(FakeScheduler(), .delete, "/api/v1/jobs")
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == "POST, GET, HEAD")
        #expect(try answer.json["code"] == "METHOD_NOT_ALLOWED")
        #expect(try await ask(FakeScheduler(), .get, "/api/v1/jobs/\(jobID)/run").headers[.allow] == "POST")
    }

    @Test(arguments: [
        ("foo=1", "foo"), ("limit=ten", "limit"), ("limit=1&limit=2", "limit"), ("active=yes", "active"),
        ("name=%zz", "name"), ("name=%ff", "name"), ("last_status=BAD", "last_status"), ("%zz=1", "query"),
    ])
    func aWrongParameterIsNamed(_ query: String, _ field: String) async throws {
        let answer = try await ask(FakeScheduler(["list_jobs": ["jobs": []]]), .get, "/api/v1/jobs?\(query)")
        #expect(answer.status == 400)
        #expect(try answer.json["errors"]?.array?.map { $0["field"]?.string } == [field])
    }

    @Test(arguments: ["-1", "4294967296", "99999999999999999999", "ten"])
    func aNumberIsToldItsRange(_ text: String) async throws {
        let answer = try await ask(FakeScheduler(), .get, "/api/v1/jobs?limit=\(text)")
        let message = try answer.json["errors"]?.array?.first?["message"]?.string
        #expect(message == "is \"\(text)\"; it must be a whole number from 1 to 1000")
    }

    @Test func anUnknownParameterIsToldTheKnownOnes() async throws {
        let answer = try await ask(FakeScheduler(), .get, "/api/v1/executions?job=1")
        let message = try answer.json["errors"]?.array?.first?["message"]?.string
        #expect(message == "is not a parameter of this path; allowed: status, from, to, limit, cursor")
        #expect(try await ask(FakeScheduler(), .get, "/livez?x=1").status == 400)
    }

    @Test func allUnknownFieldsAreNamed() async throws {
        let body = #"{"schedule": "@daily", "api_ur": "http://a", "version": 3, "max_retries": "x"}"#
        let answer = try await ask(FakeScheduler(), .post, "/api/v1/jobs", body)
        #expect(answer.status == 400)
        let errors = try answer.json["errors"]?.array ?? []
        #expect(errors.map { $0["field"]?.string } == ["api_ur", "version", "max_retries"])
        #expect(errors.first?["message"] == "is not a field of this request; did you mean api_url?")
        #expect(
            errors.dropFirst().first?["message"] == "is set by Carillon and is not accepted in requests; leave it out"
        )
    }

    @Test(arguments: [
        (Method.post, "/api/v1/jobs", "idempotency_key"), (.post, "/api/v1/jobs", "fingerprint"),
        (.put, "/api/v1/jobs/\(jobID)", "job_id"), (.patch, "/api/v1/jobs/\(jobID)", "if_version"),
        (.post, "/api/v1/debug/execute", "wait"), (.post, "/api/v1/jobs/\(jobID)/run", "job_id"),
        (.post, "/api/v1/debug/refresh_schedule", "x"),
    ])
    func fieldsOfOtherRequestsAreRejected(_ method: Method, _ uri: String, _ field: String) async throws {
        let answer = try await ask(FakeScheduler(), method, uri, "{\"\(field)\": \"x\"}")
        #expect(answer.status == 400)
        #expect(try answer.json["errors"]?.array?.map { $0["field"]?.string } == [field])
    }
}

/// Idempotency-Key and If-Match.
@Suite struct ConditionTests {
    static let body = #"{"schedule": "@daily", "api_url": "http://a/b"}"#

    private func key(_ header: String, _ uri: String, _ body: String?) async throws -> (String?, String?) {
        let scheduler = FakeScheduler(["create_job": Examples.job, "run_job": Examples.manualExecution])
        try await ask(scheduler, .post, uri, body, headers: [.idempotencyKey: header])
        let arguments = scheduler.calls.first?.arguments
        return (arguments?["idempotency_key"]?.string, arguments?["fingerprint"]?.string)
    }

    @Test func aKeyComesWithAFingerprintOfTheRequest() async throws {
        let first = try await key("abc", "/api/v1/jobs", ConditionTests.body)
        #expect(first.0 == "abc")
        #expect(first.1?.count == 64)
        let reordered = try await key("\"abc\"", "/api/v1/jobs/", #"{"api_url":"http://a/b",  "schedule":"@daily"}"#)
        #expect(reordered == first)
        let other = try await key("abc", "/api/v1/jobs", #"{"schedule": "@daily", "api_url": "http://a/c"}"#)
        #expect(other.1 != first.1)
    }

    @Test func aRunsFingerprintKnowsItsJob() async throws {
        let one = try await key("k", "/api/v1/jobs/\(jobID)/run", nil)
        let other = try await key("k", "/api/v1/jobs/\(executionID)/run", nil)
        #expect(one.0 == "k")
        #expect(one.1 != other.1)
    }

    @Test func aBadKeyIsNamedAsTheHeaderIs() async throws {
        let error = ClientError(
            .invalidArgument,
            "the idempotency key has 300 bytes; 1 to 255 are allowed",
            errors: [FieldError(field: "idempotency_key", message: "must have 1 to 255 bytes")]
        )
        let answer = try await ask(
            FakeScheduler(failing: "create_job", error),
            .post,
            "/api/v1/jobs",
            ConditionTests.body,
            headers: [.idempotencyKey: String(repeating: "k", count: 300)]
        )
        #expect(answer.status == 400)
        #expect(try answer.json["errors"]?.array?.first?["field"] == "Idempotency-Key")
    }

    @Test(arguments: [("\"3\"", 3), ("3", 3), ("\"18\"", 18)]) func aVersion(_ header: String, _ version: Int64)
        async throws
    {
        let scheduler = FakeScheduler(["update_job": Examples.job, "delete_job": ["job_id": .string(jobID)]])
        try await ask(scheduler, .put, "/api/v1/jobs/\(jobID)", #"{"priority": 1}"#, headers: [.ifMatch: header])
        try await ask(scheduler, .delete, "/api/v1/jobs/\(jobID)", headers: [.ifMatch: header])
        #expect(scheduler.calls.map { $0.arguments["if_version"] } == [[.integer(version)], [.integer(version)]])
    }

    @Test func anyVersion() async throws {
        let scheduler = FakeScheduler(["update_job": Examples.job])
        try await ask(scheduler, .patch, "/api/v1/jobs/\(jobID)", #"{"priority": 1}"#, headers: [.ifMatch: "*"])
        #expect(scheduler.calls.first?.arguments["if_version"] == nil)
    }

    @Test func `the scheduler checks several versions in one request`() async throws {
        let scheduler = FakeScheduler(["update_job": Examples.job])
        let headers: HTTPFields = [.ifMatch: "\"7\", \"abc\", \"8\""]
        try await ask(scheduler, .put, "/api/v1/jobs/\(jobID)", #"{"priority": 1}"#, headers: headers)
        #expect(scheduler.calls.map { $0.arguments["if_version"] } == [[7, 8]])
    }

    @Test(arguments: [("\"1\", \"7\"", 200), ("\"abc\"", 412), ("W/\"1\"", 412), ("abc", 400)])
    func otherTags(_ header: String, _ status: Int) async throws {
        let scheduler = FakeScheduler(["get_job": Examples.job, "update_job": Examples.job])
        let answer = try await ask(
            scheduler,
            .put,
            "/api/v1/jobs/\(jobID)",
            #"{"priority": 1}"#,
            headers: [.ifMatch: header]
        )
        #expect(answer.status == status)
    }

    @Test func aReadHasItsConditionToo() async throws {
        let scheduler = FakeScheduler(["get_job": Examples.job])
        #expect(try await ask(scheduler, .get, "/api/v1/jobs/\(jobID)", headers: [.ifMatch: "\"1\""]).status == 200)
        #expect(try await ask(scheduler, .get, "/api/v1/jobs/\(jobID)", headers: [.ifMatch: "\"2\""]).status == 412)
    }

    @Test func aBodyThatIsWrongFromBeginningToEnd() async throws {
        let body = JSONValue.object((0..<300).map { .init("u\($0)", 1) })
        let answer = try await ask(FakeScheduler(), .post, "/api/v1/jobs/\(jobID)/run", JSONText.write(body))
        #expect(answer.status == 400)
        let problem = try answer.json
        #expect(problem["errors"]?.array?.count == ClientError.maxFieldErrors)
        #expect(problem["detail"]?.string?.hasSuffix("; and at least 97 more") == true)
    }
}
