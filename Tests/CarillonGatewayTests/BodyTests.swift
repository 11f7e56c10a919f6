import CarillonJSON
import CarillonWire
import HTTPTypes
import Testing

@testable import CarillonGateway

/// The requirements for a body and its headers.
@Suite struct BodyTests {
    @Test(arguments: [
        (#"{"a":1,}"#, "line 1, column 8: expected a name in quotes"),
        ("[]", "the body is an array; it must be a JSON object"),
        (#"{"a":1,"a":2}"#, "appears twice"), ("{", "line 1, column 2"), ("", "the body is empty"),
    ])
    func invalidJSONIsReportedWithItsPosition(_ body: String, _ detail: String) async throws {
        let answer = try await ask(FakeScheduler(), .post, "/api/v1/jobs", body)
        #expect(answer.status == 400)
        #expect(try answer.json["detail"]?.string?.contains(detail) == true)
    }

    @Test(arguments: [
        ("text/plain", 415), ("application/x-www-form-urlencoded", 415), ("application/json; charset=latin1", 415),
        ("application/merge-patch+json", 415), ("multipart/form-data; boundary=x", 415), ("", 415), (" ", 415),
        (";", 415),
        ("text/plain; application/json", 415), ("application/json, text/plain", 415), ("application/jsonp", 415),
        ("application/json", 201), ("Application/JSON; Charset=\"UTF-8\"", 201), ("application/json;", 201),
    ])
    func contentTypes(_ type: String, _ status: Int) async throws {
        let answer = try await ask(
            FakeScheduler(["create_job": Examples.job]),
            .post,
            "/api/v1/jobs",
            #"{"schedule": "@daily", "api_url": "http://a"}"#,
            headers: [.contentType: type]
        )
        #expect(answer.status == status)
    }

    @Test(arguments: [Method.post, .put, .patch, .delete]) func aBodyMustSayThatItIsJSON(_ method: Method) async throws
    {
        let uri = method == .post ? "/api/v1/jobs" : "/api/v1/jobs/\(jobID)"
        for (type, example) in [
            (String?.none, "no Content-Type"), ("application/x-www-form-urlencoded", "x-www-form-urlencoded"),
        ] {
            var headers: HTTPFields = [:]
            headers[.contentType] = type
            let scheduler = FakeScheduler(["delete_job": ["job_id": .string(jobID)]])
            let answer = try await ask(
                gateway(scheduler),
                method,
                uri,
                #"{"priority": 1}"#,
                headers: headers,
                asJSON: false
            )
            #expect(answer.status == 415)
            #expect(answer.headers[.accept] == "application/json")
            let detail = try answer.json["detail"]?.string ?? ""
            #expect(detail.contains(example) && detail.contains("-H 'Content-Type: application/json'"), "\(detail)")
            #expect(scheduler.calls.isEmpty)
        }
    }

    /// An HTML form sends a content type without a body.
    @Test(arguments: [
        ("application/x-www-form-urlencoded", 415), ("multipart/form-data; boundary=x", 415), ("text/plain", 415),
        ("Text/Plain;charset=UTF-8", 415), ("application/json", 202), ("application/octet-stream", 202), ("", 202),
        (nil, 202),
    ])
    func aRunWithoutABodyIsNoForm(_ type: String?, _ status: Int) async throws {
        var headers: HTTPFields = [:]
        headers[.contentType] = type
        let scheduler = FakeScheduler(["run_job": Examples.manualExecution])
        let answer = try await ask(gateway(scheduler), .post, "/api/v1/jobs/\(jobID)/run", headers: headers)
        #expect(answer.status == status)
        #expect(scheduler.calls.isEmpty == (status == 415))
    }

    @Test func aMergePatchIsAPatch() async throws {
        let answer = try await ask(
            FakeScheduler(["update_job": Examples.job]),
            .patch,
            "/api/v1/jobs/\(jobID)",
            #"{"priority": 1}"#,
            headers: [.contentType: "application/merge-patch+json"]
        )
        #expect(answer.status == 200)
    }

    @Test func aCompressedBodyIsRefused() async throws {
        let answer = try await ask(
            FakeScheduler(),
            .post,
            "/api/v1/jobs",
            "{}",
            headers: [.contentEncoding: "gzip"]
        )
        #expect(answer.status == 415)
    }

    @Test func aLargeBodyIsRefused() async throws {
        let allowed = "{\"body\": \"\(String(repeating: "x", count: 1_000_000))\", \"schedule\": \"@daily\"}"
        let scheduler = FakeScheduler(["create_job": Examples.job])
        #expect(try await ask(scheduler, .post, "/api/v1/jobs", allowed).status == 201)
        let answer = try await ask(scheduler, .post, "/api/v1/jobs", allowed + String(repeating: " ", count: 100_000))
        #expect(answer.status == 413)
        #expect(answer.headers[.connection] == "close")
        #expect(try answer.json["code"] == "PAYLOAD_TOO_LARGE")
    }
}
