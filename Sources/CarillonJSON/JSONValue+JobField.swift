package import CarillonCore
internal import CarillonWire

extension JobField {
    /// The value of a job whose author says nothing, as an answer has it.
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

    /// A number, without a fraction where there is none.
    package static func whole(_ number: Double) -> JSONValue {
        Int64(exactly: number).map(JSONValue.integer) ?? .number(number)
    }
}
