package import CarillonCron

/// The settings of a job in a client's request. A setting without a value here was not sent.
package struct JobSettings: Sendable, Hashable {
    private var values: [String: JobValue] = [:]
    /// Settings to reset to their default, by their name in the API.
    package var cleared: Set<String> = []

    package init() {}

    package subscript(field: JobField) -> JobValue? {
        get { values[field.name] }
        set { values[field.name] = newValue }
    }

    private func text(_ field: JobField) -> String? {
        if case .text(let text)? = self[field] { text } else { nil }
    }

    private func integer(_ field: JobField) -> Int? {
        if case .integer(let number)? = self[field] { number } else { nil }
    }

    private func seconds(_ field: JobField) -> Double? {
        if case .seconds(let seconds)? = self[field] { seconds } else { nil }
    }

    private func time(_ field: JobField) -> Timestamp? {
        if case .time(let time)? = self[field] { time } else { nil }
    }

    private func word<Word: RawRepresentable<String>>(_ field: JobField) -> Word? {
        text(field).flatMap(Word.init(rawValue:))
    }
}

/// Typed access to the settings that code uses by name.
extension JobSettings {
    package var schedule: String? {
        get { text(.schedule) }
        set { self[.schedule] = newValue.map(JobValue.text) }
    }
    package var url: String? {
        get { text(.url) }
        set { self[.url] = newValue.map(JobValue.text) }
    }
    package var executionType: ExecutionType? {
        get { word(.executionType) }
        set { self[.executionType] = (newValue?.rawValue).map(JobValue.text) }
    }
    package var name: String? {
        get { text(.name) }
        set { self[.name] = newValue.map(JobValue.text) }
    }
    package var description: String? {
        get { text(.description) }
        set { self[.description] = newValue.map(JobValue.text) }
    }
    package var timeZone: String? {
        get { text(.timeZone) }
        set { self[.timeZone] = newValue.map(JobValue.text) }
    }
    package var daylightPolicy: DaylightPolicy? {
        get { word(.daylightPolicy) }
        set { self[.daylightPolicy] = (newValue?.rawValue).map(JobValue.text) }
    }
    package var method: String? {
        get { text(.method) }
        set { self[.method] = newValue.map(JobValue.text) }
    }
    package var headers: [HTTPHeader]? {
        get { if case .headers(let headers)? = self[.headers] { headers } else { nil } }
        set { self[.headers] = newValue.map(JobValue.headers) }
    }
    package var body: String? {
        get { text(.body) }
        set { self[.body] = newValue.map(JobValue.text) }
    }
    package var timeoutSeconds: Double? {
        get { seconds(.timeout) }
        set { self[.timeout] = newValue.map(JobValue.seconds) }
    }
    package var maxRetries: Int? {
        get { integer(.maxRetries) }
        set { self[.maxRetries] = newValue.map(JobValue.integer) }
    }
    package var retryInitialDelaySeconds: Double? {
        get { seconds(.retryInitialDelay) }
        set { self[.retryInitialDelay] = newValue.map(JobValue.seconds) }
    }
    package var retryMaxDelaySeconds: Double? {
        get { seconds(.retryMaxDelay) }
        set { self[.retryMaxDelay] = newValue.map(JobValue.seconds) }
    }
    package var catchUpPolicy: CatchUpPolicy? {
        get { word(.catchUpPolicy) }
        set { self[.catchUpPolicy] = (newValue?.rawValue).map(JobValue.text) }
    }
    package var catchUpWindowSeconds: Double? {
        get { seconds(.catchUpWindow) }
        set { self[.catchUpWindow] = newValue.map(JobValue.seconds) }
    }
    package var overlapPolicy: OverlapPolicy? {
        get { word(.overlapPolicy) }
        set { self[.overlapPolicy] = (newValue?.rawValue).map(JobValue.text) }
    }
    package var priority: Int? {
        get { integer(.priority) }
        set { self[.priority] = newValue.map(JobValue.integer) }
    }
    package var startsAt: Timestamp? {
        get { time(.startsAt) }
        set { self[.startsAt] = newValue.map(JobValue.time) }
    }
    package var endsAt: Timestamp? {
        get { time(.endsAt) }
        set { self[.endsAt] = newValue.map(JobValue.time) }
    }
    package var tags: [String]? {
        get { if case .list(let tags)? = self[.tags] { tags } else { nil } }
        set { self[.tags] = newValue.map(JobValue.list) }
    }
    package var active: Bool? {
        get { if case .flag(let flag)? = self[.active] { flag } else { nil } }
        set { self[.active] = newValue.map(JobValue.flag) }
    }
}
