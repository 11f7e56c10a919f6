/// A setting of a job: what each layer has to know of it.
///
/// ``all`` is the catalogue. Merging, clearing, validation, the columns of `jobs`, the protocol's messages, the OpenAPI schema
/// and the guide's table are made from it. Tests prove that the command line and the SQL of the migrations agree with it.
package struct JobField: Sendable {
    /// What values a setting has. A nested setting, or one that refers to another object, will be a case of its own.
    package enum Kind: Sendable {
        case text(TextLimits)
        /// One of several words. `type` is the name of the enumeration in the protocol and in the OpenAPI document.
        case word(type: String, words: [String])
        /// A duration. REST and the protocol have seconds, ``Job`` and the database have whole milliseconds.
        case seconds(ClosedRange<Double>)
        case integer(ClosedRange<Int>)
        case time
        case flag
        case list(ListLimits)
        /// Header fields: names with values.
        case map
    }

    /// How ``Job`` holds a setting.
    package enum Storage: Sendable {
        case text(get: @Sendable (Job) -> String, set: @Sendable (inout Job, String) -> Void)
        case optionalText(get: @Sendable (Job) -> String?, set: @Sendable (inout Job, String?) -> Void)
        case integer(get: @Sendable (Job) -> Int, set: @Sendable (inout Job, Int) -> Void)
        case time(get: @Sendable (Job) -> Timestamp?, set: @Sendable (inout Job, Timestamp?) -> Void)
        case flag(get: @Sendable (Job) -> Bool, set: @Sendable (inout Job, Bool) -> Void)
        case texts(get: @Sendable (Job) -> [String], set: @Sendable (inout Job, [String]) -> Void)
        case headers(get: @Sendable (Job) -> [HTTPHeader], set: @Sendable (inout Job, [HTTPHeader]) -> Void)
    }

    /// What the reference says of a text. `nil`: not said.
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
        /// Of each element.
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
    /// For a setting that a new job must have: an example of it.
    package let requiredExample: String?
    /// Whether a change makes the schedule begin again: due times before the change are never made.
    package let restartsSchedule: Bool
    /// Whether the setting, or what follows from it, is in the call that a worker gets.
    package let isSentToWorker: Bool
    /// What is wrong with a value of the right kind, besides the limits of `kind`.
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

    /// The value of a job whose author says nothing; `nil` for none.
    package var defaultValue: JobValue? { isRequired ? nil : value(of: .blank) }

    /// Whether null is a value of its own, and not only the wish to have the default.
    package var isNullable: Bool { !isRequired && defaultValue == nil }

    /// The values that a setting of words has; empty for any other.
    package var words: [String] {
        if case .word(_, let words) = kind { words } else { [] }
    }

    /// The column of `jobs`.
    package var column: String {
        guard isDuration, name.hasSuffix("_seconds") else { return name }
        return name.dropLast("seconds".count) + "ms"
    }

    // MARK: Values

    /// What a job has; `nil` for none.
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

    /// Gives a job a value. Returns whether the value is of this setting's kind, and can be held.
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

    /// Gives a job the value that another one has.
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

    /// What is wrong with a value; empty when nothing is.
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

    /// Whether a value that is out of bounds could not even be held.
    var isNumber: Bool {
        switch kind {
        case .seconds, .integer: true
        case .text, .word, .time, .flag, .list, .map: false
        }
    }

    private func problem(_ message: String) -> FieldError { FieldError(field: name, message: message) }

    /// Without a fraction where there is none.
    package static func text(_ number: Double) -> String {
        number == number.rounded() ? String(Int64(number)) : String(number)
    }
}
