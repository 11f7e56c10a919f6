internal import CarillonJSON

extension JSONValue {
    /// A reference to the named schema.
    static func reference(_ name: String) -> JSONValue {
        ["$ref": .string("#/components/schemas/\(name)")]
    }

    static func list(of name: String) -> JSONValue {
        ["type": "array", "items": reference(name)]
    }

    /// Returns this object with additional members.
    func adding(_ members: [Member]) -> JSONValue {
        guard case .object(let own) = self else { return self }
        return .object(own + members)
    }
}

/// A documented member of an object.
struct Property: Sendable {
    var name: String
    var schema: JSONValue
    /// Whether a response can contain null here.
    var isNullable = false
    /// Whether the member is always present.
    var isRequired = true

    static func of(
        _ name: String,
        _ type: String,
        _ summary: String,
        _ more: JSONValue = [:],
        nullable: Bool = false,
        required: Bool = true
    ) -> Property {
        var members: [JSONValue.Member] = [.init("type", .string(type))]
        if case .object(let others) = more { members += others }
        members.append(.init("description", .string(summary)))
        return Property(name: name, schema: .object(members), isNullable: nullable, isRequired: required)
    }

    static func time(_ name: String, _ summary: String, nullable: Bool = false, required: Bool = true) -> Property {
        of(name, "string", summary, ["format": "date-time"], nullable: nullable, required: required)
    }

    static func id(_ name: String, _ summary: String) -> Property {
        of(name, "string", summary, ["format": "uuid"])
    }

    static func named(
        _ name: String,
        _ schema: String,
        _ summary: String,
        nullable: Bool = false,
        required: Bool = true,
        fallback: String? = nil
    ) -> Property {
        var members: [JSONValue.Member] = [.init("$ref", .string("#/components/schemas/\(schema)"))]
        if let fallback { members.append(.init("default", .string(fallback))) }
        members.append(.init("description", .string(summary)))
        return Property(name: name, schema: .object(members), isNullable: nullable, isRequired: required)
    }

    /// The schema of the member, with null where allowed.
    func schema(allowingNull: Bool) -> JSONValue {
        guard allowingNull, case .object(var members) = schema else { return schema }
        if let index = members.firstIndex(where: { $0.name == "type" }) {
            members[index].value = .array([members[index].value, "null"])
            return .object(members)
        }
        guard let reference = schema["$ref"] else { return schema }
        let others = members.filter { $0.name != "$ref" }
        return .object([.init("anyOf", [["$ref": reference], ["type": "null"]])] + others)
    }
}

extension [Property] {
    /// The schema of an object in a response.
    func answered(_ summary: String) -> JSONValue {
        [
            "type": "object", "description": .string(summary),
            "properties": .object(map { .init($0.name, $0.schema(allowingNull: $0.isNullable)) }),
            "required": .array(filter(\.isRequired).map { .string($0.name) }),
        ]
    }

    /// The schema of an object in a request.
    func asked(_ summary: String, required: [String]) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", "object"), .init("description", .string(summary)),
            .init(
                "properties",
                .object(map { .init($0.name, $0.schema(allowingNull: !required.contains($0.name))) })
            ),
        ]
        if !required.isEmpty { members.append(.init("required", .array(required.map(JSONValue.string)))) }
        members.append(.init("additionalProperties", false))
        return .object(members)
    }
}
