internal import CarillonCore
internal import CarillonJSON
internal import CarillonRuntime
internal import HTTPTypes
internal import HummingbirdCore
internal import Logging

internal import struct HummingbirdCore.Request

/// Finds the route of a request, reads the parameters and the body, and turns the result or the error into a response.
struct GatewayResponder {
    let gateway: Gateway
    let originGuard: OriginGuard

    /// - Parameter peer: the address of the other end of the connection.
    /// - Throws: errors of the connection.
    func respond(to request: Request, from peer: String?) async throws -> Response {
        let begin = SystemClock.bootTime()
        var route: Int?
        let routeResponse: RouteResponse
        do {
            routeResponse = try await answer(request, from: peer, &route)
        } catch let problem as Problem {
            note(problem, request, from: peer, route)
            routeResponse = RouteResponse(problem)
        }
        var response = routeResponse.response(isHead: request.method == .head)
        if let id = GatewayResponder.requestID(request) { response.headers[.requestID] = id }
        let nanoseconds = SystemClock.bootTime() - begin
        gateway.metrics.answered(
            route: route,
            method: request.method,
            status: response.status,
            nanoseconds: nanoseconds
        )
        gateway.logger.debug(
            "request answered",
            metadata: metadata(request, route).merging(
                ["status": "\(response.status.code)", "ms": "\(Double(nanoseconds / 10_000) / 100)"]
            ) { $1 }
        )
        return response
    }

    /// - Throws: `Problem`, or an error of the connection.
    private func answer(_ request: Request, from peer: String?, _ found: inout Int?) async throws -> RouteResponse {
        let target = RequestTarget(request.head.path ?? "/")
        let destination = originGuard.target(of: request.head, peer: peer)
        let hostProblem = originGuard.hostProblem(destination)
        if let hostProblem, !GatewayResponder.isProbe(target) { throw hostProblem }
        if let problem = originGuard.originProblem(request.head, destination) { throw problem }
        guard let target else {
            throw Problem(.badRequest, "INVALID_ARGUMENT", "the path is not percent-encoded UTF-8")
        }
        guard let match = gateway.table.match(target.segments) else {
            throw Problem(.notFound, "NOT_FOUND", "this path does not exist; /docs lists all paths")
        }
        let wanted = request.method == .head ? .get : request.method
        guard let index = match.routes.first(where: { gateway.table.routes[$0].method == wanted }) else {
            let allowed = gateway.table.methods(match).joined(separator: ", ")
            throw Problem(
                .methodNotAllowed,
                "METHOD_NOT_ALLOWED",
                "the method is not allowed for this path; allowed: \(allowed)",
                headers: [.allow: allowed]
            )
        }
        found = index
        let route = gateway.table.routes[index]
        let pairs = target.query.isEmpty ? [] : try Query.pairs(target.query)
        let query = try Query.members(pairs, route.parameters)
        let given = route.takesBody ? try await Body.read(request) : nil
        if !route.takesBody, OriginGuard.isChange(request.method) { try Body.checkUnread(request) }
        let body = given ?? []
        try check(body, of: route)
        if given == nil, route.needsBody {
            throw Problem(.badRequest, "INVALID_ARGUMENT", "the body is empty; it must be a JSON object")
        }
        let names = zip(gateway.table.pathNames[index], match.values).map { JSONValue.Member($0, .string($1)) }
        for name in names where UniqueID(name.value.string ?? "") == nil {
            throw Problem.invalid(
                name.name,
                "\"\((name.value.string ?? "").prefix(60))\" is not a UUID such as 01890a5d-ac96-774b-bcce-b302099a8057"
            )
        }
        let path = "/" + target.segments.joined(separator: "/")
        let context = RequestContext(
            path: path,
            names: names,
            query: query,
            pairs: pairs,
            body: body,
            headers: request.headers,
            isHostAllowed: hostProblem == nil
        )
        return try await route.action(gateway, context)
    }

    /// Kubernetes and load balancers call the probes by any host name.
    private static func isProbe(_ target: RequestTarget?) -> Bool {
        target?.segments == ["livez"] || target?.segments == ["readyz"]
    }

    /// Rejects fields that do not belong to the REST body, and names the header or path parameter for those that are
    /// sent elsewhere.
    private func check(_ body: [JSONValue.Member], of route: Route) throws(Problem) {
        guard let contract = route.body else {
            guard !body.isEmpty else { return }
            throw .invalid(
                body.prefix(ClientError.maxFieldErrors).map {
                    FieldError(field: $0.name, message: "is not a field of this request; the request takes no fields")
                }
            )
        }
        let reserved = body.filter { contract.reserved.contains($0.name) }.prefix(ClientError.maxFieldErrors)
        guard reserved.isEmpty else {
            throw .invalid(
                reserved.map { member in
                    let place =
                        switch member.name {
                        case "idempotency_key", "fingerprint": "; send the key in the Idempotency-Key header"
                        case "if_version": "; send the version in the If-Match header"
                        case "job_id": "; the path contains the id"
                        default: ""
                        }
                    return FieldError(field: member.name, message: "is not a field of this request" + place)
                }
            )
        }
    }

    // MARK: Logs

    /// Returns the client's own request id if it is short and consists of visible ASCII characters.
    private static func requestID(_ request: Request) -> String? {
        guard let id = request.headers[.requestID], (1...128).contains(id.utf8.count),
            id.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return id
    }

    private func metadata(_ request: Request, _ route: Int?) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            "method": "\(request.method.rawValue)", "path": "\((request.head.path ?? "").prefix(200))",
        ]
        if let route { metadata["route"] = "\(gateway.table.routes[route].path)" }
        if let id = GatewayResponder.requestID(request) { metadata["request_id"] = "\(id)" }
        if let trace = request.headers[.traceParent] { metadata["traceparent"] = "\(trace.prefix(64))" }
        return metadata
    }

    private func note(_ problem: Problem, _ request: Request, from peer: String?, _ route: Int?) {
        if problem.status == .misdirectedRequest || problem.status == .forbidden {
            return noteForeign(problem, request, from: peer)
        }
        guard problem.status.code >= 500 else { return }
        let isDefect = problem.status == .internalServerError
        // The rate of these log lines is limited, so that many failing clients do not fill the log.
        gateway.failureLog.log(
            isDefect ? .error : .warning,
            key: "\(problem.code) \(route ?? -1)",
            isDefect ? "request failed because of an internal error" : "request failed",
            metadata: metadata(request, route).merging(
                ["code": "\(problem.code)", "detail": "\(problem.detail)"]
            ) { $1 },
            at: SystemClock.bootTime()
        )
    }

    /// Logs requests that the origin guard refused. These also reveal a proxy that is not configured.
    private func noteForeign(_ problem: Problem, _ request: Request, from peer: String?) {
        var metadata = metadata(request, nil)
        metadata["code"] = "\(problem.code)"
        metadata["peer"] = "\(peer ?? "unknown")"
        metadata["host"] = "\((request.head.authority ?? "").prefix(200))"
        for (key, name) in [("origin", HTTPField.Name.origin), ("sec_fetch_site", .secFetchSite)] {
            if let value = request.headers[name] { metadata[key] = "\(value.prefix(200))" }
        }
        gateway.failureLog.log(
            .warning,
            key: problem.code,
            "request refused; host or origin not allowed",
            metadata: metadata,
            at: SystemClock.bootTime()
        )
    }
}
