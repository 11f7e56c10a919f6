import CarillonCore
import CarillonCron
import TestSupport
import Testing

@Suite("The catalogue of job settings")
struct JobFieldTests {
    private let rules = JobRules(defaults: JobDefaults()) { text, _, policy in
        guard let expression = try? CronExpression(text) else { return .failure(JobRules.FieldErrors([])) }
        return .success(SchedulePlan(expression: expression, zone: .utc, policy: policy))
    }

    private static let names = JobField.all.map(\.name)

    /// A job with a non-default value in each setting.
    private func fullJob() throws -> Job {
        var settings = JobSettings()
        for field in JobField.all { settings[field] = field.sample }
        return try rules.make(settings, id: JobID(UniqueID(high: 1, low: 1))).job
    }

    @Test("names and columns are unique")
    func unique() {
        #expect(Set(Self.names).count == Self.names.count)
        #expect(Set(JobField.all.map(\.column)).count == Self.names.count)
    }

    @Test("a default is within the limits of its setting", arguments: JobField.all)
    func defaults(_ field: JobField) throws {
        guard let value = field.defaultValue else { return }
        #expect(field.problems(with: value) == [])
    }

    @Test("a job stores the value of each setting", arguments: JobField.all)
    func values(_ field: JobField) throws {
        var job = Job.blank
        #expect(field.set(field.sample, of: &job))
        #expect(field.value(of: job) == field.sample)
        var copy = Job.blank
        field.copy(from: job, to: &copy)
        #expect(copy == job)
        for other in JobField.all where other.name != field.name {
            #expect(other.value(of: job) == other.value(of: .blank), "\(other.name)")
        }
    }

    @Test("a value of another kind is rejected", arguments: JobField.all)
    func kinds(_ field: JobField) {
        var job = Job.blank
        let others = JobField.all.map(\.sample).filter { !field.sample.isSameKind(as: $0) }
        for value in others { #expect(!field.set(value, of: &job), "\(value)") }
        #expect(job == Job.blank)
    }

    @Test("a change sets one setting and leaves the others", arguments: JobField.all)
    func changes(_ field: JobField) throws {
        let job = try rules.make(minimal, id: JobID(UniqueID(high: 1, low: 1))).job
        var settings = JobSettings()
        settings[field] = field.sample
        let (planned, restarts) = try rules.change(job, by: settings)
        #expect(field.value(of: planned.job) == field.sample)
        #expect(restarts == field.restartsSchedule)
        for other in JobField.all where other.name != field.name && other.name != field.partner {
            #expect(other.value(of: planned.job) == other.value(of: job), "\(other.name)")
        }
    }

    @Test("a cleared setting returns to its default", arguments: JobField.all)
    func clearing(_ field: JobField) throws {
        let job = try fullJob()
        var settings = JobSettings()
        settings.cleared = [field.name]
        guard !field.isRequired else {
            let error = #expect(throws: ClientError.self) { try rules.change(job, by: settings) }
            #expect(error?.errors.first?.message == "cannot be cleared; it is required")
            return
        }
        // The maximum delay cannot be less than the initial delay.
        if let partner = field.partner.flatMap({ JobField.byName[$0] }) { settings[partner] = .seconds(2) }
        let planned = try rules.change(job, by: settings).planned
        #expect(field.value(of: planned.job) == field.defaultValue)
    }

    @Test("an out-of-range number is rejected with the range", arguments: JobField.all)
    func bounds(_ field: JobField) {
        switch field.kind {
        case .seconds(let range):
            for seconds in [range.lowerBound - 1, range.upperBound + 1, .nan, .infinity, 1e300] {
                let message = field.problems(with: .seconds(seconds)).first?.message
                #expect(message?.hasSuffix("to \(JobField.text(range.upperBound)) seconds") == true)
            }
            #expect(field.problems(with: .seconds(range.lowerBound)) == [])
            #expect(field.problems(with: .seconds(range.upperBound)) == [])
        case .integer(let range):
            for number in [range.lowerBound - 1, range.upperBound + 1, .min, .max] {
                let message = field.problems(with: .integer(number)).first?.message
                #expect(message == "is \(number); allowed are \(range.lowerBound) to \(range.upperBound)")
            }
        case .text, .word, .time, .flag, .list, .map: break
        }
    }

    @Test("the call that a worker gets depends exactly on the settings sent to workers", arguments: JobField.all)
    func workers(_ field: JobField) {
        let job = DispatcherBench.job(1, every: 60)
        var changed = job
        field.set(field.sample, of: &changed)
        #expect(sent(job) != "" && sent(changed) != "")
        #expect((sent(job) != sent(changed)) == field.isSentToWorker)
    }

    private func sent(_ job: Job) -> String {
        var bench = DispatcherBench()
        bench.lead()
        bench.create(job)
        bench.run(job, requestID: 1)
        guard let call = bench.dispatched.first?.call else { return "" }
        return "\(call.kind) \(call.timeoutMs) \(call.atMostOnce)"
    }

    private var minimal: JobSettings {
        var settings = JobSettings()
        (settings.schedule, settings.url) = ("* * * * * *", "http://127.0.0.1:1/")
        return settings
    }
}

extension JobField {
    /// A setting that may change together with this one.
    fileprivate var partner: String? {
        switch name {
        case JobField.retryInitialDelay.name: JobField.retryMaxDelay.name
        case JobField.retryMaxDelay.name: JobField.retryInitialDelay.name
        default: nil
        }
    }
}

extension JobValue {
    fileprivate func isSameKind(as other: JobValue) -> Bool {
        switch (self, other) {
        case (.text, .text), (.integer, .integer), (.seconds, .seconds), (.time, .time), (.flag, .flag), (.list, .list),
            (.headers, .headers):
            true
        default: false
        }
    }
}
