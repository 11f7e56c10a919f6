/// The definition of one job setting.
///
/// ``all`` is the catalogue. Merging, clearing, validation, the columns of `jobs`, the protocol's messages, the OpenAPI
/// schema and the guide's table are derived from it. Tests check that the command line and the migrations agree with
/// it.
package struct JobField: Sendable {
    /// The type of a setting's values. A nested setting or a reference to another object will need a further case.
    package enum Kind: Sendable {
        case text(TextLimits)
        /// An enumeration. `type` is its name in the protocol and in the OpenAPI document.
        case word(type: String, words: [String])
        /// A duration. REST and the protocol have seconds, ``Job`` and the database have whole milliseconds.
        case seconds(ClosedRange<Double>)
        case integer(ClosedRange<Int>)
        case time
        case flag
        case list(ListLimits)
        /// Header fields: names and values.
        case map
    }

    /// The property of ``Job`` that stores a setting.
    package enum Storage: Sendable {
        case text(get: @Sendable (Job) -> String, set: @Sendable (inout Job, String) -> Void)
        case optionalText(get: @Sendable (Job) -> String?, set: @Sendable (inout Job, String?) -> Void)
        case integer(get: @Sendable (Job) -> Int, set: @Sendable (inout Job, Int) -> Void)
        case time(get: @Sendable (Job) -> Timestamp?, set: @Sendable (inout Job, Timestamp?) -> Void)
        case flag(get: @Sendable (Job) -> Bool, set: @Sendable (inout Job, Bool) -> Void)
        case texts(get: @Sendable (Job) -> [String], set: @Sendable (inout Job, [String]) -> Void)
        case headers(get: @Sendable (Job) -> [HTTPHeader], set: @Sendable (inout Job, [HTTPHeader]) -> Void)
    }

    /// Limits of a text in the reference documentation; `nil`: not documented.
    package struct TextLimits: Sendable {
        package var format: String?
        package var bytes: ClosedRange<Int>?
        package var pattern: String?

        package init(format: String? = nil, bytes: ClosedRange<Int>? = nil, pattern: String? = nil) {
            self.format = format
            self.bytes = bytes
            self.pattern = pattern
        }
    }

    package struct ListLimits: Sendable {
        package var maxCount: Int
        /// The length of each element in bytes.
        package var bytes: ClosedRange<Int>

        package init(maxCount: Int, bytes: ClosedRange<Int>) {
            self.maxCount = maxCount
            self.bytes = bytes
        }
    }

    /// The name in REST and in the protocol.
    package let name: String
    /// One sentence, for the OpenAPI document and the guide.
    package let summary: String
    package let kind: Kind
    package let storage: Storage
    /// An example value for a required setting; `nil` for an optional one.
    package let requiredExample: String?
    /// Whether a change restarts the schedule: due times before the change are never inserted.
    package let restartsSchedule: Bool
    /// Whether the call that a worker receives depends on the setting.
    package let isSentToWorker: Bool
    /// Further problems with a value of the right kind, besides the limits of `kind`.
    private let check: @Sendable (JobValue) -> [FieldError]

    package init(
        _ name: String,
        _ summary: String,
        _ kind: Kind,
        _ storage: Storage,
        requiredExample: String? = nil,
        restartsSchedule: Bool = false,
        isSentToWorker: Bool = false,
        check: @escaping @Sendable (JobValue) -> [FieldError] = { _ in [] }
    ) {
        self.name = name
        self.summary = summary
        self.kind = kind
        self.storage = storage
        self.requiredExample = requiredExample
        self.restartsSchedule = restartsSchedule
        self.isSentToWorker = isSentToWorker
        self.check = check
    }

    package var isRequired: Bool { requiredExample != nil }

    /// The value of a job that does not set it; `nil` for no value.
    package var defaultValue: JobValue? { isRequired ? nil : value(of: .blank) }

    /// Whether null is a valid value of its own, not only a request for the default.
    package var isNullable: Bool { !isRequired && defaultValue == nil }

    /// The values of an enumeration; empty for any other setting.
    package var words: [String] {
        if case .word(_, let words) = kind { words } else { [] }
    }

    /// The column of `jobs`.
    package var column: String {
        guard isDuration, name.hasSuffix("_seconds") else { return name }
        return name.dropLast("seconds".count) + "ms"
    }

    // MARK: Values

    /// The value of a job; `nil` for no value.
    package func value(of job: Job) -> JobValue? {
        switch storage {
        case .text(let get, _): .text(get(job))
        case .optionalText(let get, _): get(job).map(JobValue.text)
        case .integer(let get, _):
            isDuration ? .seconds(Double(get(job)) / 1_000) : .integer(get(job))
        case .time(let get, _): get(job).map(JobValue.time)
        case .flag(let get, _): .flag(get(job))
        case .texts(let get, _): .list(get(job))
        case .headers(let get, _): .headers(get(job))
        }
    }

    /// Sets the value of a job. Returns false if the value has the wrong kind or cannot be represented.
    @discardableResult
    package func set(_ value: JobValue, of job: inout Job) -> Bool {
        switch (storage, value) {
        case (.text(_, let set), .text(let text)): set(&job, text)
        case (.optionalText(_, let set), .text(let text)): set(&job, text)
        case (.integer(_, let set), .integer(let number)) where !isDuration: set(&job, number)
        case (.integer(_, let set), .seconds(let seconds)) where isDuration:
            guard let milliseconds = Int(exactly: (seconds * 1_000).rounded()) else { return false }
            set(&job, milliseconds)
        case (.time(_, let set), .time(let time)): set(&job, time)
        case (.flag(_, let set), .flag(let flag)): set(&job, flag)
        case (.texts(_, let set), .list(let texts)): set(&job, texts)
        case (.headers(_, let set), .headers(let headers)): set(&job, headers)
        default: return false
        }
        return true
    }

    /// Copies the value of another job.
    package func copy(from other: Job, to job: inout Job) {
        switch storage {
        case .text(let get, let set): set(&job, get(other))
        case .optionalText(let get, let set): set(&job, get(other))
        case .integer(let get, let set): set(&job, get(other))
        case .time(let get, let set): set(&job, get(other))
        case .flag(let get, let set): set(&job, get(other))
        case .texts(let get, let set): set(&job, get(other))
        case .headers(let get, let set): set(&job, get(other))
        }
    }

    /// The problems with a value; empty if it is valid.
    package func problems(with value: JobValue) -> [FieldError] {
        switch (kind, value) {
        case (.seconds(let range), .seconds(let seconds)) where !(seconds.isFinite && range.contains(seconds)):
            let (lower, upper) = (Self.text(range.lowerBound), Self.text(range.upperBound))
            return [problem("is \(seconds); allowed are \(lower) to \(upper) seconds")]
        case (.integer(let range), .integer(let number)) where !range.contains(number):
            return [problem("is \(number); allowed are \(range.lowerBound) to \(range.upperBound)")]
        default:
            return check(value)
        }
    }

    private var isDuration: Bool { if case .seconds = kind { true } else { false } }

    /// Whether the setting is a number: an out-of-range value may not even be representable.
    var isNumber: Bool {
        switch kind {
        case .seconds, .integer: true
        case .text, .word, .time, .flag, .list, .map: false
        }
    }

    private func problem(_ message: String) -> FieldError { FieldError(field: name, message: message) }

    /// A number without a fraction if it is whole.
    package static func text(_ number: Double) -> String {
        number == number.rounded() ? String(Int64(number)) : String(number)
    }
}
