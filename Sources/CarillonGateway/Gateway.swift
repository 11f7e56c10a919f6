internal import CarillonCore
internal import CarillonJSON
internal import CarillonRuntime
package import CarillonSystem
internal import HTTPTypes
package import Logging

/// The state that the actions of all routes share.
package final class Gateway: Sendable {
    let caller: any SchedulerCaller
    let registry: MetricsRegistry
    let metrics: GatewayMetrics
    let logger: Logger
    let failureLog: RateLimitedLog
    let table = RouteTable.all
    let pages = Pages()

    package init(caller: any SchedulerCaller, registry: MetricsRegistry, metrics: GatewayMetrics, logger: Logger) {
        self.caller = caller
        self.registry = registry
        self.metrics = metrics
        self.logger = logger
        failureLog = RateLimitedLog(logger)
    }

    // MARK: Requests of the protocol

    func call(
        _ name: String,
        _ members: [JSONValue.Member],
        timeout: Duration? = nil
    ) async throws(Problem) -> JSONValue {
        do throws(ClientError) {
            return try await caller.call(name, .object(members), timeout: timeout)
        } catch {
            throw Problem(Gateway.inWordsOfREST(error))
        }
    }

    /// Fields that Carillon sets. Responses have them; requests must not.
    private static let readOnly: Set<String> = [
        "job_id", "version", "created_at", "updated_at", "next_run_time", "schedule_description",
    ]

    /// The same error with the parameter names of the REST API.
    private static func inWordsOfREST(_ error: ClientError) -> ClientError {
        guard error.code == .invalidArgument, !error.errors.isEmpty else { return error }
        var error = error
        // Only the client's summary of its field errors is rebuilt. Other error texts of a scheduler stay as they are.
        let listsFields = error.text == ClientError.summary(of: error.errors)
        for index in error.errors.indices {
            let entry = error.errors[index]
            if entry.field == "idempotency_key" { error.errors[index].field = "Idempotency-Key" }
            if entry.field.hasPrefix("status[") { error.errors[index].field = "status" }
            guard case .unknown(let nearest, let hasOthers) = entry.kind else { continue }
            error.errors[index] = FieldError(
                unknown: entry.field,
                of: "this request",
                nearest: nearest,
                hasOthers: hasOthers
            )
            if readOnly.contains(entry.field) {
                error.errors[index].message = "is set by Carillon and is not accepted in requests; leave it out"
            }
        }
        if listsFields { error.text = Problem.text(error.errors) }
        return error
    }

    /// A list as a JSON array, with its next page in a `Link` header.
    func list(_ request: String, member: String, _ context: RequestContext) async throws(Problem) -> RouteResponse {
        let answer = try await call(request, context.names + context.query)
        var headers: HTTPFields = [:]
        if let cursor = answer["next_cursor"]?.string {
            var pairs = context.pairs.filter { $0.name != "cursor" }
            pairs.append(Query.Pair(name: "cursor", value: cursor))
            let query = pairs.map { "\(PercentCoding.encode($0.name))=\(PercentCoding.encode($0.value))" }
            headers[.link] = "<\(context.path)?\(query.joined(separator: "&"))>; rel=\"next\""
        }
        if let count = answer["total_count"]?.integer { headers[.totalCount] = String(count) }
        return RouteResponse(json: answer[member] ?? [], headers: headers)
    }

    /// The job versions that If-Match accepts.
    func ifVersion(_ context: RequestContext) async throws(Problem) -> [JSONValue.Member] {
        switch try Condition(context.headers) {
        case .any: return []
        case .oneOf(let versions):
            guard versions.isEmpty else { return [.init("if_version", .array(versions.map { .integer($0) }))] }
            // No tag is a job version. An empty list would mean any version, so the request fails here.
            let job = try await call("get_job", context.names)
            throw Condition.mismatch(job["version"]?.integer ?? 0)
        }
    }

    static func etag(of job: JSONValue) -> HTTPFields {
        guard let version = job["version"]?.integer else { return [:] }
        return [.eTag: "\"\(version)\""]
    }

    static func location(of execution: JSONValue) -> HTTPFields {
        guard let job = execution["job_id"]?.string, let id = execution["execution_id"]?.string else { return [:] }
        return [.location: "/api/v1/executions/\(job)/\(id)"]
    }

    /// The schedulers that this gateway is connected to.
    var schedulers: JSONValue {
        .array(
            caller.connectedSchedulers.map { peer in
                var members: [JSONValue.Member] = [
                    .init("scheduler", .string(peer.scheduler)), .init("address", .string(peer.address)),
                    .init("server_id", .string(peer.serverID.description)),
                ]
                if let version = peer.version { members.append(.init("version", .string(version))) }
                return .object(members)
            }
        )
    }

    /// The links of the API, for clients that discover its paths.
    static let root: JSONValue = [
        "name": "Carillon", "version": .string(CarillonVersion.current),
        "links": [
            "jobs": "/api/v1/jobs", "executions": "/api/v1/executions", "cluster": "/api/v1/cluster",
            "cron_preview": "/api/v1/cron/preview", "health": "/health", "metrics": "/metrics",
            "openapi": "/openapi.json", "docs": "/docs",
        ],
    ]
}

extension RequestContext {
    /// Adds the idempotency key and the fingerprint if the request has an Idempotency-Key header.
    func idempotency() throws(Problem) -> [JSONValue.Member] {
        guard let key = try IdempotencyKey.read(headers) else { return [] }
        return [
            .init("idempotency_key", .string(key)),
            .init("fingerprint", .string(IdempotencyKey.fingerprint(path, body))),
        ]
    }
}
