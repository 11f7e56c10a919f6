internal import CarillonJSON

/// Formats values of responses for tables.
enum ValueFormat {
    /// Any value in one line; empty for null.
    static func text(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null?: ""
        case .bool(let bool)?: bool ? "yes" : "no"
        case .integer(let number)?: String(number)
        case .number(let number)?: number == number.rounded() ? TextFormat.decimal(number, places: 0) : "\(number)"
        case .string(let text)?: text
        case .array(let values)?: values.map { text($0) }.joined(separator: ", ")
        case .object(let members)?: members.map { "\($0.name): \(text($0.value))" }.joined(separator: ", ")
        }
    }

    static func number(_ value: JSONValue?) -> Double? {
        switch value {
        case .integer(let number)?: Double(number)
        case .number(let number)?: number
        default: nil
        }
    }

    /// Milliseconds with a suitable unit and precision.
    static func milliseconds(_ value: JSONValue?) -> String {
        number(value).map { milliseconds($0) } ?? ""
    }

    static func milliseconds(_ number: Double) -> String {
        switch abs(number) {
        case ..<10: "\(TextFormat.decimal(number, places: 2)) ms"
        case ..<100: "\(TextFormat.decimal(number, places: 1)) ms"
        case ..<1000: "\(TextFormat.decimal(number, places: 0)) ms"
        case ..<100_000: "\(TextFormat.decimal(number / 1000, places: 2)) s"
        default: DurationArgument(milliseconds: Int64(number / 1000) * 1000).description
        }
    }

    static func seconds(_ value: JSONValue?) -> String {
        number(value).map { DurationArgument(milliseconds: Int64(($0 * 1000).rounded())).description } ?? ""
    }
}
