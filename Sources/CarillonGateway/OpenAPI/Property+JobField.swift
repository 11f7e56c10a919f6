internal import CarillonCore
internal import CarillonJSON

extension Property {
    /// The property for a job setting, from the settings catalogue.
    init(_ field: JobField) {
        self.init(name: field.name, schema: field.schema, isNullable: field.isNullable)
    }
}

extension JobField {
    fileprivate var schema: JSONValue {
        var members: [JSONValue.Member] = []
        if case .word(let type, _) = kind {
            members = [.init("$ref", .string("#/components/schemas/\(type)"))]
        } else {
            members = [.init("type", .string(jsonType))] + limits
        }
        if let defaultValue { members.append(.init("default", JSONValue(defaultValue))) }
        return .object(members + [.init("description", .string(summary))])
    }

    private var jsonType: String {
        switch kind {
        case .text, .word, .time: "string"
        case .seconds: "number"
        case .integer: "integer"
        case .flag: "boolean"
        case .list: "array"
        case .map: "object"
        }
    }

    private var limits: [JSONValue.Member] {
        switch kind {
        case .text(let limits): limits.members
        case .seconds(let range):
            [.init("minimum", .whole(range.lowerBound)), .init("maximum", .whole(range.upperBound))]
        case .integer(let range):
            [.init("minimum", .integer(Int64(range.lowerBound))), .init("maximum", .integer(Int64(range.upperBound)))]
        case .time: [.init("format", "date-time")]
        case .list(let limits):
            [
                .init("items", .object([.init("type", "string")] + TextLimits(bytes: limits.bytes).members)),
                .init("maxItems", .integer(Int64(limits.maxCount))), .init("uniqueItems", true),
            ]
        case .map: [.init("additionalProperties", ["type": "string"])]
        case .word, .flag: []
        }
    }
}

extension JobField.TextLimits {
    fileprivate var members: [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let format { members.append(.init("format", .string(format))) }
        if let bytes {
            if bytes.lowerBound > 0 { members.append(.init("minLength", .integer(Int64(bytes.lowerBound)))) }
            members.append(.init("maxLength", .integer(Int64(bytes.upperBound))))
        }
        if let pattern { members.append(.init("pattern", .string(pattern))) }
        return members
    }
}
