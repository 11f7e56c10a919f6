internal import CarillonCore
internal import CarillonJSON

/// How a parameter's text becomes JSON.
enum ParameterKind: Sendable {
    case text
    /// A name of the time zone database, which may hold a '+' and never a space.
    case timeZone
    case boolean
    case integer
    case time
    /// Several, with commas between or by repeating the parameter.
    case list
}

/// Reads the query of a request by the parameters that its route has.
enum Query {
    /// One pair of a query, decoded.
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
                    "is not percent-encoded UTF-8: a '%' needs two hexadecimal digits after it, and the bytes that are meant "
                        + "must be UTF-8 (é is %C3%A9)"
                )
            }
            pairs.append(Pair(name: name, value: value))
        }
        return pairs
    }

    /// The members of the protocol's request, or all that is wrong.
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
        guard !parameters.isEmpty else { return "is not a parameter of this path, which has none" }
        return "is not a parameter of this path; it has \(parameters.map(\.name).joined(separator: ", "))"
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
            // What the protocol's field can hold is for the scheduler to judge.
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

    /// A '+' that was sent without being escaped was read as a space. A time has it before its offset, a zone anywhere.
    private static func withPlus(_ text: String, anywhere: Bool) -> String {
        guard text.contains(" ") else { return text }
        var characters = Array(text)
        for index in characters.indices where characters[index] == " " && (anywhere || index == characters.count - 6) {
            characters[index] = "+"
        }
        return String(characters)
    }
}
