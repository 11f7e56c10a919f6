import CarillonCore
import CarillonJSON
import CarillonWire
import HTTPTypes
import Testing

@testable import CarillonGateway

/// The probes, the status page, and the API reference.
@Suite struct PageTests {
    static let cluster: JSONValue = Examples.cluster

    private func changed(_ value: JSONValue, _ name: String, _ new: JSONValue) -> JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(members.map { $0.name == name ? .init(name, new) : $0 })
    }

    @Test func healthIsUp() async throws {
        let scheduler = FakeScheduler(["get_cluster": PageTests.cluster])
        let answer = try await ask(scheduler, .get, "/health")
        #expect(answer.status == 200)
        let health = try answer.json
        #expect(health["status"] == "UP")
        #expect(health["scheduler_running"] == true)
        #expect(health["worker_pool_active"] == true)
        #expect(scheduler.calls.first?.timeout == .seconds(2))
    }

    @Test func healthIsDownWithTheSameFields() async throws {
        let up = try await ask(FakeScheduler(["get_cluster": PageTests.cluster]), .get, "/health").json
        let withoutWorkers = FakeScheduler(["get_cluster": changed(PageTests.cluster, "workers", [])])
        let leaderless = changed(changed(PageTests.cluster, "leading", false), "leader_address", nil)
        let stopping = changed(PageTests.cluster, "workers", [["name": "w1", "draining": true]])
        for (scheduler, running, pool, detail) in [
            (FakeScheduler(), false, false, "nobody"), (withoutWorkers, true, false, "no worker is connected"),
            (FakeScheduler(["get_cluster": leaderless]), false, true, "no scheduler leads"),
            (FakeScheduler(["get_cluster": stopping]), true, false, "all workers are draining"),
        ] {
            let answer = try await ask(scheduler, .get, "/health/")
            #expect(answer.status == 503)
            let health = try answer.json
            #expect(health["status"] == "DOWN")
            #expect(health["scheduler_running"] == .bool(running))
            #expect(health["worker_pool_active"] == .bool(pool))
            #expect(health["detail"]?.string?.contains(detail) == true, "\(health)")
            guard case .object(let ours) = health, case .object(let theirs) = up else { continue }
            #expect(ours.map(\.name) == theirs.map(\.name))
        }
    }

    @Test func aGatewayWithoutWorkersIsReady() async throws {
        let withoutWorkers = FakeScheduler(["get_cluster": changed(PageTests.cluster, "workers", [])])
        let ready = try await ask(withoutWorkers, .get, "/readyz")
        #expect(ready.status == 200)
        #expect(try ready.json["detail"] == .null)
        let page = try await ask(withoutWorkers, .get, "/", headers: [.accept: "text/html"])
        #expect(page.text.contains("DOWN: no worker is connected"))
        #expect(try await ask(FakeScheduler(), .get, "/readyz").status == 503)
        #expect(try await ask(FakeScheduler(), .get, "/livez").status == 200)
    }

    @Test func theRootNegotiates() async throws {
        let scheduler = FakeScheduler(["get_cluster": PageTests.cluster, "list_jobs": ["jobs": []]])
        for accept in ["*/*", "application/json", "application/json, text/html;q=0.5"] {
            let answer = try await ask(scheduler, .get, "/", headers: [.accept: accept])
            #expect(answer.headers[.contentType] == "application/json")
            #expect(try answer.json["links"]?["jobs"] == "/api/v1/jobs")
        }
        let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        let answer = try await ask(scheduler, .get, "/", headers: [.accept: browser])
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
        #expect(answer.headers[.vary] == "Accept")
        #expect(answer.headers[.contentSecurityPolicy]?.contains("default-src 'none'") == true)
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.text.contains("UP. 127.0.0.1:7070 leads."))
    }

    @Test func theStatusPageEscapesEverything() async throws {
        let evil: JSONValue = "<script>alert('x')</script>\"&"
        var job = Examples.job
        for name in ["name", "schedule", "schedule_description", "api_url", "next_run_time"] {
            job = changed(job, name, evil)
        }
        var execution = Examples.execution
        for name in ["error_message", "status", "scheduled_time", "job_id", "execution_id", "http_status"] {
            execution = changed(execution, name, evil)
        }
        var worker = Examples.cluster["workers"]?.array?.first ?? .null
        for name in ["name", "address", "version", "skew_ms"] { worker = changed(worker, name, evil) }
        let cluster = changed(changed(Examples.cluster, "workers", [worker]), "leader_address", evil)
        let scheduler = FakeScheduler([
            "get_cluster": changed(cluster, "cluster_time", evil), "list_jobs": ["jobs": [job]],
            "list_executions": ["executions": [execution]], "get_latest_execution": execution,
        ])
        let page = try await ask(scheduler, .get, "/", headers: [.accept: "text/html"]).text
        #expect(!page.contains("<script"))
        #expect(!page.contains("alert('x')"))
        #expect(page.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot;&amp;"))
    }

    @Test func theStatusPageIsThereWithoutSchedulers() async throws {
        let answer = try await ask(FakeScheduler(), .get, "/", headers: [.accept: "text/html"])
        #expect(answer.status == 200)
        #expect(answer.text.contains("DOWN: nobody is there"))
    }

    @Test func theReferenceHasEveryOperation() async throws {
        let answer = try await ask(FakeScheduler(), .get, "/docs")
        #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
        for route in RouteTable.all.routes { #expect(answer.text.contains("<section id=\"\(route.name)\"")) }
        for problem in Problem.meanings { #expect(answer.text.contains("id=\"\(problem.code)\"")) }
        #expect(!answer.text.contains("src=\"http"))
        #expect(answer.headers[.contentSecurityPolicy]?.contains(HTML.hash(DocsPage.script)) == true)
    }

    @Test func theDocumentIsServed() async throws {
        let answer = try await ask(FakeScheduler(), .get, "/openapi.json")
        #expect(try answer.json == OpenAPITests.document)
    }

    @Test func theHashIsTheBrowsers() {
        // From Content Security Policy Level 3, section 6.7.3.3.
        #expect(HTML.hash("alert('Hello, world.');") == "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng=")
    }

    @Test func requestsAreCounted() async throws {
        let scheduler = FakeScheduler(["get_job": Examples.job])
        let gateway = gateway(scheduler)
        for uri in ["/api/v1/jobs/\(jobID)", "/api/v1/jobs/\(jobID)/", "/nope/1", "/nope/2"] {
            try await ask(gateway, .get, uri)
        }
        let text = try await ask(gateway, .get, "/metrics").text
        #expect(
            text.contains(
                #"carillon_http_requests_total{route="/api/v1/jobs/{job_id}",method="GET",status="200"} 2"#
            )
        )
        #expect(text.contains(#"carillon_http_requests_total{route="unmatched",method="GET",status="404"} 2"#))
        #expect(text.contains(#"carillon_http_request_duration_seconds_count{route="/api/v1/jobs/{job_id}"} 2"#))
    }
}
