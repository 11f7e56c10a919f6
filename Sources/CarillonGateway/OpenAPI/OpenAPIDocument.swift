internal import CarillonJSON
internal import CarillonSystem
internal import HTTPTypes

/// The OpenAPI 3.1 document, generated from the routes.
enum OpenAPIDocument {
    static func make(_ routes: [Route]) -> JSONValue {
        var paths: [JSONValue.Member] = []
        for path in unique(routes.map(\.path)) {
            let own = routes.filter { $0.path == path }
            var item: [JSONValue.Member] =
                own[0].pathNames.isEmpty
                ? [] : [.init("parameters", .array(own[0].pathNames.map { parameter(.path($0), in: "path") }))]
            item += own.map { .init($0.method.rawValue.lowercased(), operation($0)) }
            paths.append(.init(path, .object(item)))
        }
        let tags = Route.Tag.allCases.map { tag -> JSONValue in ["name": .string(tag.rawValue)] }
        return [
            "openapi": "3.1.0",
            "info": [
                "title": "Carillon", "version": .string(CarillonVersion.current),
                "summary": "Calls HTTP endpoints on time.",
                "description": .string(introduction),
                "license": ["name": "MIT", "identifier": "MIT"],
            ],
            "servers": [["url": "/", "description": "This gateway."]],
            "tags": .array(tags),
            "paths": .object(paths),
            "components": [
                "schemas": .object(Schemas.all.map { .init($0.name, $0.schema) }),
                "responses": .object(ErrorResponses.all.map { .init($0.name, $0.response) }),
            ],
        ]
    }

    private static let introduction = """
        Times are RFC 3339 with `Z`; a `+` in a query may be sent as `+` or `%2B`. Errors are RFC 9457 problem documents with \
        a stable `code`, and `errors` lists the invalid fields. An unknown field or parameter is an error. A \
        slash at the end of a path is ignored. HEAD is supported wherever GET is.
        """

    private static func unique(_ texts: [String]) -> [String] {
        var seen: Set<String> = []
        return texts.filter { seen.insert($0).inserted }
    }

    // MARK: Operations

    private static func operation(_ route: Route) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("operationId", .string(route.name)), .init("tags", [.string(route.tag.rawValue)]),
            .init("summary", .string(route.summary)),
        ]
        if !route.details.isEmpty { members.append(.init("description", .string(route.details))) }
        let parameters = route.parameters.map { parameter($0, in: "query") } + route.headers.map(header)
        if !parameters.isEmpty { members.append(.init("parameters", .array(parameters))) }
        if let body = route.body { members.append(.init("requestBody", requestBody(body, route))) }
        members.append(.init("responses", .object(responses(route))))
        return .object(members)
    }

    private static func parameter(_ parameter: Parameter, in place: String) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(parameter.name)), .init("in", .string(place)),
            .init("required", .bool(parameter.isRequired)), .init("description", .string(parameter.summary)),
            .init("schema", parameter.schema),
        ]
        if parameter.kind == .list { members += [.init("style", "form"), .init("explode", false)] }
        if let example = parameter.example { members.append(.init("example", example)) }
        return .object(members)
    }

    private static func header(_ header: Route.HeaderParameter) -> JSONValue {
        switch header {
        case .idempotencyKey:
            [
                "name": "Idempotency-Key", "in": "header", "required": false,
                "description":
                    "Any text of 1 to 255 bytes. Use a new key for each new request, and the same key to repeat a request.",
                "schema": ["type": "string", "minLength": 1, "maxLength": 255],
                "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
            ]
        case .ifMatch:
            [
                "name": "If-Match", "in": "header", "required": false,
                "description": "The ETag of the expected version, or `*`.", "schema": ["type": "string"],
                "example": "\"1\"",
            ]
        }
    }

    private static func requestBody(_ body: BodyContract, _ route: Route) -> JSONValue {
        let media: JSONValue = ["schema": .reference(body.schema), "example": body.example]
        var content: [JSONValue.Member] = [.init("application/json", media)]
        if route.method == .patch { content.append(.init("application/merge-patch+json", media)) }
        return ["required": .bool(route.needsBody), "content": .object(content)]
    }

    private static func responses(_ route: Route) -> [JSONValue.Member] {
        var members = route.responses.map { JSONValue.Member(String($0.status.code), response($0)) }
        for error in ErrorResponses.names(of: route) where !members.contains(where: { $0.name == error.status }) {
            let reference: JSONValue = ["$ref": .string("#/components/responses/\(error.name)")]
            members.append(.init(error.status, reference))
        }
        return members
    }

    private static func response(_ response: DocumentedResponse) -> JSONValue {
        var members: [JSONValue.Member] = [.init("description", .string(response.summary))]
        if !response.headers.isEmpty {
            let headers = response.headers.map { header -> JSONValue.Member in
                let isNumber = header.name == "X-Total-Count"
                return .init(
                    header.name,
                    ["description": .string(header.summary), "schema": ["type": isNumber ? "integer" : "string"]]
                )
            }
            members.append(.init("headers", .object(headers)))
        }
        switch response.content {
        case .none: break
        case .json(let schema, let example):
            members.append(.init("content", ["application/json": ["schema": schema, "example": example]]))
        case .other(let media):
            members.append(.init("content", .object(media.map { .init($0.type, ["schema": $0.schema]) })))
        }
        return .object(members)
    }
}
