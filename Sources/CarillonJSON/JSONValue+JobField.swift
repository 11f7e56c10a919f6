package import CarillonCore
internal import CarillonWire

extension JobField {
    /// The value in an answer for a job that does not set this field.
    package var defaultJSON: JSONValue { defaultValue.map { JSONValue($0) } ?? .null }
}

extension JSONValue {
    package init(_ value: JobValue) {
        self =
            switch value {
            case .text(let text): .string(text)
            case .integer(let number): .integer(Int64(number))
            case .seconds(let seconds): .whole(seconds)
            case .time(let time): .string(WireTime.text(time.milliseconds))
            case .flag(let flag): .bool(flag)
            case .list(let texts): .array(texts.map(JSONValue.string))
            case .headers(let headers): .object(headers.map { .init($0.name, .string($0.value)) })
            }
    }

    /// A number, as an integer when it has no fraction.
    package static func whole(_ number: Double) -> JSONValue {
        Int64(exactly: number).map(JSONValue.integer) ?? .number(number)
    }
}
