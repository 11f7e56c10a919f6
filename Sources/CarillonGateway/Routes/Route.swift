internal import CarillonJSON
internal import HTTPTypes

/// A parameter in a path or a query.
struct Parameter: Sendable {
    var name: String
    var kind: ParameterKind
    var isRequired = false
    var summary: String
    var schema: JSONValue
    var example: JSONValue?
}

/// The body that a route accepts.
struct BodyContract: Sendable {
    /// The name of the body's schema.
    var schema: String
    var example: JSONValue
    /// Members of the RPC request that the REST body must not contain.
    var reserved: [String]
}

/// A documented response of a route: a success, or the 503 of /health.
struct DocumentedResponse: Sendable {
    enum Content: Sendable {
        case none
        case json(schema: JSONValue, example: JSONValue)
        case other([(type: String, schema: JSONValue)])
    }

    var status: HTTPResponse.Status
    var summary: String
    var content: Content
    var headers: [(name: String, summary: String)] = []
}

/// A path and a method with their action and documentation. The router and the OpenAPI document are both built from the
/// routes.
struct Route: Sendable {
    typealias Action = @Sendable (Gateway, RequestContext) async throws(Problem) -> RouteResponse

    var method: HTTPRequest.Method
    /// `/api/v1/jobs/{job_id}`
    var path: String
    /// The operation id: `getJob`.
    var name: String
    var tag: Tag
    var summary: String
    var details: String = ""
    /// The parameters of the query.
    var parameters: [Parameter] = []
    var headers: [HeaderParameter] = []
    var body: BodyContract?
    /// Whether a request without a body is an error.
    var needsBody = false
    var responses: [DocumentedResponse]
    /// The possible errors in addition to the errors of every route.
    var errors: [ErrorCase] = []
    var action: Action

    /// The names of the path's parameters, in order.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// Whether the body of the request is read.
    var takesBody: Bool { method == .post || method == .put || method == .patch }

    enum Tag: String, Sendable, CaseIterable {
        case jobs = "Jobs"
        case executions = "Executions"
        case tools = "Tools"
        case system = "System"
    }

    enum HeaderParameter: Sendable {
        case idempotencyKey, ifMatch
    }

    enum ErrorCase: Sendable {
        case invalid, unknownJob, unknownExecution, conflict, precondition, reusedKey
    }
}

/// The request, as passed to the action of a route.
struct RequestContext: Sendable {
    /// The path without a slash at its end.
    var path: String
    /// The path's parameters, as members of the RPC request.
    var names: [JSONValue.Member]
    var query: [JSONValue.Member]
    var pairs: [Query.Pair]
    var body: [JSONValue.Member]
    var headers: HTTPFields
    /// `false` only for the probes, which accept any host name.
    var isHostAllowed = true
}
