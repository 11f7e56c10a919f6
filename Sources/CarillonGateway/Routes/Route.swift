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

/// What a body may hold.
struct BodyContract: Sendable {
    /// The name of its schema.
    var schema: String
    var example: JSONValue
    /// Members that the protocol's request has and this body has not.
    var reserved: [String]
}

/// One way in which a route answers when all is well, or as it must (503 of /health).
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

/// A path and a method: how it is found, what it does, and what the documentation says of it. The router and the OpenAPI
/// document are both made of these.
struct Route: Sendable {
    typealias Action = @Sendable (Gateway, RequestContext) async throws(Problem) -> RouteResponse

    var method: HTTPRequest.Method
    /// `/api/v1/jobs/{job_id}`
    var path: String
    /// The name of the operation: `getJob`.
    var name: String
    var tag: Tag
    var summary: String
    var details: String = ""
    /// Those of the query.
    var parameters: [Parameter] = []
    var headers: [HeaderParameter] = []
    var body: BodyContract?
    /// Whether a body that is not there is an error.
    var needsBody = false
    var responses: [DocumentedResponse]
    /// Which errors there can be beside those that every route has.
    var errors: [ErrorCase] = []
    var action: Action

    /// The names in the path, in order.
    var pathNames: [String] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
    }

    /// Whether the request's body is read at all.
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

/// A request as a route's action sees it.
struct RequestContext: Sendable {
    /// Without the slash at its end.
    var path: String
    /// The path's parameters, as members of the protocol's request.
    var names: [JSONValue.Member]
    var query: [JSONValue.Member]
    var pairs: [Query.Pair]
    var body: [JSONValue.Member]
    var headers: HTTPFields
    /// `false` only for the probes, which answer under any name.
    var isHostAllowed = true
}
