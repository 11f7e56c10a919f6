internal import CarillonCore
internal import CarillonJSON

/// How the text of a parameter is converted to JSON.
enum ParameterKind: Sendable {
    case text
    /// A name of the time zone database. Such names can contain '+' but no spaces.
    case timeZone
    case boolean
    case integer
    case time
    /// Several values, separated by commas or given by repeating the parameter.
    case list
}

/// Parses the query of a request according to the parameters of its route.
enum Query {
    /// A decoded name and value of the query.
    struct Pair: Sendable, Hashable {
        var name: String
        var value: String
    }

    static func pairs(_ query: Substring) throws(Problem) -> [Pair] {
        var pairs: [Pair] = []
        for part in query.split(separator: "&") {
            let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            let rawValue = equals < part.endIndex ? part[part.utf8.index(after: equals)...] : ""
            guard let name = PercentCoding.decode(part[..<equals], plusIsSpace: true) else {
                throw .invalid(
                    "query",
                    "has a parameter whose name is not percent-encoded UTF-8: a '%' needs two hexadecimal digits after it"
                )
            }
            guard let value = PercentCoding.decode(rawValue, plusIsSpace: true) else {
                throw .invalid(
                    name,
                    "is not percent-encoded UTF-8: a '%' needs two hexadecimal digits after it, and the decoded bytes "
                        + "must be UTF-8 (é is %C3%A9)"
                )
            }
            pairs.append(Pair(name: name, value: value))
        }
        return pairs
    }

    /// Returns the members of the RPC request, or throws all errors of the query.
    static func members(_ pairs: [Pair], _ parameters: [Parameter]) throws(Problem) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        var errors: [FieldError] = []
        for pair in pairs {
            guard let parameter = parameters.first(where: { $0.name == pair.name }) else {
                errors.append(FieldError(field: pair.name, message: unknown(parameters)))
                continue
            }
            let known = members.firstIndex { $0.name == pair.name }
            switch value(pair.value, parameter) {
            case .failure(let problem): errors.append(FieldError(field: pair.name, message: problem.message))
            case .success(.array(let values)):
                if let known, case .array(let before) = members[known].value {
                    members[known].value = .array(before + values)
                } else {
                    members.append(.init(pair.name, .array(values)))
                }
            case .success(let value):
                if known == nil {
                    members.append(.init(pair.name, value))
                } else {
                    errors.append(FieldError(field: pair.name, message: "is given twice"))
                }
            }
        }
        for parameter in parameters where parameter.isRequired && !pairs.contains(where: { $0.name == parameter.name })
        {
            errors.append(FieldError(field: parameter.name, message: "is required"))
        }
        guard errors.isEmpty else { throw .invalid(errors) }
        return members
    }

    private static func unknown(_ parameters: [Parameter]) -> String {
        guard !parameters.isEmpty else { return "is not a parameter of this path; the path has no parameters" }
        return "is not a parameter of this path; allowed: \(parameters.map(\.name).joined(separator: ", "))"
    }

    private struct BadValue: Error {
        var message: String
    }

    private static func value(_ text: String, _ parameter: Parameter) -> Result<JSONValue, BadValue> {
        switch parameter.kind {
        case .text: return .success(.string(text))
        case .timeZone: return .success(.string(withPlus(text, anywhere: true)))
        case .time: return .success(.string(withPlus(text, anywhere: false)))
        case .boolean:
            switch text {
            case "true": return .success(.bool(true))
            case "false": return .success(.bool(false))
            default: return .failure(BadValue(message: "is \"\(text.prefix(60))\"; it must be true or false"))
            }
        case .integer:
            let least = parameter.schema["minimum"]?.integer ?? .min
            let greatest = parameter.schema["maximum"]?.integer ?? .max
            // The scheduler checks the limits of the field.
            guard let number = Int64(text), 0...Int64(UInt32.max) ~= number else {
                return .failure(
                    BadValue(
                        message: "is \"\(text.prefix(60))\"; it must be a whole number from \(least) to \(greatest)"
                    )
                )
            }
            return .success(.integer(number))
        case .list:
            let parts = text.split(separator: ",", omittingEmptySubsequences: false)
            return .success(.array(parts.map { .string(String($0)) }))
        }
    }

    /// Restores a '+' that was sent unescaped and decoded as a space. In a time only the offset can have one; in a zone
    /// any place can.
    private static func withPlus(_ text: String, anywhere: Bool) -> String {
        guard text.contains(" ") else { return text }
        var characters = Array(text)
        for index in characters.indices where characters[index] == " " && (anywhere || index == characters.count - 6) {
            characters[index] = "+"
        }
        return String(characters)
    }
}
