import CarillonCore
import CarillonJSON
import CarillonWire
import HTTPTypes
import Testing

@testable import CarillonGateway

/// The document, the router, the examples and the RPC protocol match.
@Suite struct OpenAPITests {
    static let document = OpenAPIDocument.make(RouteTable.all.routes)

    private func members(_ value: JSONValue?) -> [JSONValue.Member] {
        if case .object(let members) = value { members } else { [] }
    }

    @Test func everyRouteIsInTheDocument() {
        let documented = Set(
            members(OpenAPITests.document["paths"]).flatMap { path in
                members(path.value).filter { $0.name != "parameters" }.map { "\($0.name.uppercased()) \(path.name)" }
            }
        )
        let routed = Set(RouteTable.all.routes.map { "\($0.method.rawValue) \($0.path)" })
        #expect(documented == routed)
    }

    @Test func thereAreTheRoutesOfTheDesign() {
        let jobs = "/api/v1/jobs", executions = "/api/v1/executions"
        let wanted: Set<String> = [
            "POST \(jobs)", "GET \(jobs)", "GET \(jobs)/{job_id}", "PUT \(jobs)/{job_id}", "PATCH \(jobs)/{job_id}",
            "DELETE \(jobs)/{job_id}", "POST \(jobs)/{job_id}/run", "POST \(jobs)/{job_id}/pause",
            "POST \(jobs)/{job_id}/resume", "GET \(executions)", "GET \(executions)/{job_id}",
            "GET \(executions)/{job_id}/latest", "GET \(executions)/{job_id}/stats",
            "GET \(executions)/{job_id}/{execution_id}", "POST \(executions)/{job_id}/{execution_id}/cancel",
            "POST /api/v1/debug/execute", "POST /api/v1/debug/execute_sync", "POST /api/v1/debug/refresh_schedule",
            "GET /api/v1/cron/preview", "GET /api/v1/cluster", "GET /health", "GET /livez", "GET /readyz",
            "GET /metrics", "GET /openapi.json", "GET /docs", "GET /",
        ]
        #expect(Set(RouteTable.all.routes.map { "\($0.method.rawValue) \($0.path)" }) == wanted)
    }

    @Test func everyRouteLeadsToItself() throws {
        for (index, route) in RouteTable.all.routes.enumerated() {
            let path = route.path.split(separator: "/").map { $0.hasPrefix("{") ? jobID : String($0) }
            let match = try #require(RouteTable.all.match(path))
            #expect(match.routes.contains(index))
            #expect(match.values.count == route.pathNames.count)
        }
    }

    @Test func refusalsOfForeignPagesAreInTheDocument() {
        for route in RouteTable.all.routes {
            let operation = OpenAPITests.document["paths"]?[route.path]?[route.method.rawValue.lowercased()]
            let statuses = members(operation?["responses"]).map(\.name)
            #expect(statuses.contains("421") == (route.path != "/livez" && route.path != "/readyz"), "\(route.path)")
            for status in ["403", "415"] {
                #expect(statuses.contains(status) == (route.method != .get), "\(route.path)")
            }
        }
    }

    @Test func operationsHaveNamesOfTheirOwn() {
        let names = RouteTable.all.routes.map(\.name)
        #expect(Set(names).count == names.count)
    }

    @Test func everyReferenceLeadsSomewhere() {
        var wrong: [String] = []
        func visit(_ value: JSONValue) {
            switch value {
            case .array(let values): values.forEach(visit)
            case .object(let members):
                if let target = value["$ref"]?.string {
                    var place: JSONValue? = OpenAPITests.document
                    for part in target.split(separator: "/").dropFirst() { place = place?[String(part)] }
                    if place == nil { wrong.append(target) }
                }
                members.forEach { visit($0.value) }
            default: break
            }
        }
        visit(OpenAPITests.document)
        #expect(wrong == [])
    }

    // MARK: Examples

    /// Validates a value against a schema, with the part of JSON Schema that the document uses.
    private func problems(_ value: JSONValue, _ schema: JSONValue, at place: String) -> [String] {
        if let name = schema["$ref"]?.string?.split(separator: "/").last {
            let target = OpenAPITests.document["components"]?["schemas"]?[String(name)] ?? .null
            return problems(value, target, at: place)
        }
        if let choices = schema["anyOf"]?.array {
            return choices.contains { problems(value, $0, at: place).isEmpty } ? [] : ["\(place) is none of its kinds"]
        }
        if let words = schema["enum"]?.array, !words.contains(value) { return ["\(place) is not one of its words"] }
        let types = schema["type"]?.array?.compactMap(\.string) ?? [schema["type"]?.string].compactMap { $0 }
        guard types.isEmpty || types.contains(where: { fits(value, $0) }) else { return ["\(place) is no \(types)"] }
        switch value {
        case .array(let values):
            return values.enumerated().flatMap { problems($1, schema["items"] ?? [:], at: "\(place)[\($0)]") }
        case .object(let fields):
            let properties = schema["properties"]
            var wrong = (schema["required"]?.array ?? []).compactMap(\.string).filter { value[$0] == nil }
                .map { "\(place) lacks \($0)" }
            for field in fields {
                if let inner = properties?[field.name] {
                    wrong += problems(field.value, inner, at: "\(place).\(field.name)")
                } else if properties != nil {
                    wrong.append("\(place).\(field.name) is not in the schema")
                }
            }
            return wrong
        default: return []
        }
    }

    private func fits(_ value: JSONValue, _ type: String) -> Bool {
        switch (value, type) {
        case (.null, "null"), (.bool, "boolean"), (.integer, "integer"), (.integer, "number"), (.number, "number"),
            (.string, "string"), (.array, "array"), (.object, "object"):
            true
        default: false
        }
    }

    @Test func everyExampleFitsItsSchema() {
        var count = 0
        func visit(_ value: JSONValue, _ place: String) {
            if let example = value["example"], let schema = value["schema"] {
                count += 1
                #expect(problems(example, schema, at: place) == [])
            }
            switch value {
            case .array(let values): values.forEach { visit($0, place) }
            case .object(let members): members.forEach { visit($0.value, "\(place)/\($0.name)") }
            default: break
            }
        }
        visit(OpenAPITests.document["paths"] ?? [:], "")
        visit(OpenAPITests.document["components"]?["responses"] ?? [:], "")
        #expect(count > 40)
    }

    // MARK: The protocol

    @Test(arguments: [("NewJob", "create_job"), ("JobChange", "update_job"), ("Call", "execute_now")])
    func aBodyHasTheFieldsOfItsRequest(_ schema: String, _ request: String) throws {
        let route = try #require(RouteTable.all.routes.first { $0.body?.schema == schema })
        let reserved = try #require(route.body).reserved
        let fields = try #require(MessageJSON.describe(request)).map(\.field).filter { !reserved.contains($0) }
        let properties = members(OpenAPITests.document["components"]?["schemas"]?[schema]?["properties"]).map(\.name)
        // An immediate call has no schedule.
        let meaningless: Set<String> = schema == "Call" ? ["schedule", "name", "active"] : []
        #expect(Set(properties) == Set(fields).subtracting(meaningless))
    }

    @Test(arguments: [
        "list_jobs", "list_executions", "get_execution_stats", "preview_schedule",
    ])
    func theQueriesHaveTheFieldsOfTheirRequests(_ request: String) throws {
        let names = [
            "list_jobs": ["listJobs"], "list_executions": ["listExecutions", "listJobExecutions"],
            "get_execution_stats": ["getExecutionStats"], "preview_schedule": ["previewSchedule"],
        ]
        // The namespace cannot be set yet.
        let fields = Set(try #require(MessageJSON.describe(request)).map(\.field)).subtracting(["namespace"])
        for name in names[request] ?? [] {
            let route = try #require(RouteTable.all.routes.first { $0.name == name })
            let own = route.parameters.map(\.name) + route.pathNames
            #expect(Set(own) == fields.subtracting(route.path == "/api/v1/executions" ? ["job_id"] : []))
        }
    }

    /// A response with all possible members, as the gateway sends it.
    private func decoded(_ answer: Answer) throws -> JSONValue {
        let frame = MessageCodec.frame(of: Envelope(id: 1, .answer(answer)))
        return try MessageJSON.decodeAnswer(Array(frame.dropFirst(4))).value
    }

    @Test func aJobHasTheFieldsOfItsSchema() throws {
        let time = Timestamp(milliseconds: 1_767_600_000_000)
        let job = Job(
            id: JobID(UniqueID.zero),
            schedule: "@daily",
            call: HTTPCall(url: "http://a"),
            effectiveFrom: time,
            createdAt: time,
            updatedAt: time
        )
        let value = try decoded(.job(JobView(job: job, scheduleDescription: "Daily", nextRunTime: time)))
        #expect(Set(members(value).map(\.name)) == Set(Schemas.job.map(\.name)))
        #expect(members(value).map(\.name) == members(Examples.job).map(\.name))
        #expect(problems(value, .reference("Job"), at: "job") == [])
    }

    @Test func figuresHaveTheFieldsOfTheirSchema() throws {
        let time = Timestamp(milliseconds: 1_767_600_000_000)
        let value = try decoded(.executionStats(JobID(UniqueID.zero), from: time, to: time, ExecutionStats()))
        #expect(members(value).map(\.name) == Schemas.stats.map(\.name))
        #expect(members(value).map(\.name) == members(Examples.stats).map(\.name))
    }
}
