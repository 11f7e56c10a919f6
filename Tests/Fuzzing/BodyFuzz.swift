import CarillonCore
import CarillonCron
import CarillonJSON
import CarillonWire

/// Processes a REST body without sockets: it is parsed as JSON, converted to a request, encoded, decoded by a
/// scheduler, checked against its rules, and answered. Input that starts with a brace is the body itself; other input
/// selects fields of a generated body.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: data, count: size))
    var text = input
    if input.first != UInt8(ascii: "{") {
        var composer = BodyComposer(input)
        text = JSONText.bytes(of: .object(composer.members()))
        expect((try? JSONText.read(text)) != nil, "a body that was written cannot be read")
    }
    guard case .object(let members)? = try? JSONText.read(text) else { return 0 }
    let route = BodyRoute.all[size % BodyRoute.all.count]
    if !members.contains(where: { route.reserved.contains($0.name) }) { route.take(members) }
    return 0
}

/// A precondition with a message, which `precondition` would drop in an optimized build.
private func expect(_ condition: Bool, _ text: @autoclosure () -> String) {
    if !condition { fatalError(text()) }
}

/// A request with a body, and the members that the gateway itself adds.
private struct BodyRoute {
    var request: String
    var reserved: Set<String>
    var given: [JSONValue.Member]

    static let all = [
        BodyRoute(request: "create_job", reserved: ["idempotency_key", "fingerprint", "namespace"], given: []),
        BodyRoute(
            request: "update_job",
            reserved: ["job_id", "if_version", "namespace"],
            given: [.init("job_id", .string(Scheduler.base.id.description))]
        ),
        BodyRoute(request: "execute_now", reserved: ["wait", "namespace"], given: [.init("wait", true)]),
    ]

    func take(_ members: [JSONValue.Member]) {
        let arguments = JSONValue.object(given + members)
        let payload: [UInt8]
        do {
            payload = try MessageJSON.encodeRequest(name: request, arguments: arguments, id: 7)
        } catch {
            return check(error)
        }
        // The same body with different whitespace is the same request.
        let pretty = JSONText.bytes(of: arguments, pretty: true)
        guard let again = try? JSONText.read(pretty) else { fatalError("not read again") }
        expect(
            (try? MessageJSON.encodeRequest(name: request, arguments: again, id: 7)) == payload,
            "\(members) is another request in another layout"
        )
        guard let envelope = try? MessageCodec().decode(payload: payload), envelope.id == 7,
            case .request(let decoded) = envelope.message
        else { fatalError("\(request) cannot be decoded: \(members)") }
        checkSettings(decoded, members)
        do {
            let answer = try Scheduler.answer(decoded)
            if request != "execute_now" { checkAnswer(answer) }
        } catch {
            check(error)
            // The error reaches the client over RPC.
            guard case .error(error) = overWire(.error(error)) else { fatalError("\(error) is changed") }
        }
    }

    /// The scheduler must receive exactly the settings of the body.
    private func checkSettings(_ request: Request, _ members: [JSONValue.Member]) {
        let settings: JobSettings
        switch request {
        case .createJob(let said, _, _), .updateJob(_, let said, _), .executeNow(let said, _): settings = said
        default: fatalError("\(request) is not what was asked for")
        }
        var (silent, cleared) = (Set(Said.fields.keys), Set<String>())
        for member in members {
            guard let said = Said.fields[member.name] else { fatalError("\(member.name) is no setting") }
            switch (member.name, member.value) {
            case (_, .null), ("tags", .array([])), ("headers", .object([])): cleared.insert(member.name)
            default:
                silent.remove(member.name)
                expect(said(settings)?.isLike(member.value) == true, "\(member) became \(settings)")
            }
        }
        expect(settings.cleared == cleared, "\(members) cleared \(settings.cleared)")
        for name in silent {
            expect(Said.fields[name]?(settings) == nil, "\(name) was set without being in the body: \(settings)")
        }
    }

    /// The error must explain what would be valid.
    private func check(_ error: ClientError) {
        expect(error.code == .invalidArgument && !error.text.isEmpty && !error.errors.isEmpty, "\(error)")
        expect(error.errors.count <= ClientError.maxFieldErrors, "\(error.errors.count) errors")
        expect(error.errors.allSatisfy { !$0.message.isEmpty }, "\(error)")
        let entries = error.errors.map { JSONValue.object([.init($0.field, .string($0.message))]) }
        let text = JSONText.bytes(of: .array(entries))
        expect((try? JSONText.read(text)) == .array(entries), "\(error) cannot be written")
    }

    private func overWire(_ message: Message) -> Message {
        let frame = MessageCodec.frame(of: Envelope(id: 7, message))
        guard let envelope = try? MessageCodec().decode(payload: Array(frame.dropFirst(4))) else {
            fatalError("\(message) cannot be decoded")
        }
        return envelope.message
    }

    /// A job that is sent back with its own settings must not change.
    private func checkAnswer(_ job: Job) {
        let view = JobView(job: job, scheduleDescription: "x", nextRunTime: nil)
        guard case .answer(.job(let received)) = overWire(.answer(.job(view))) else { fatalError("no job") }
        expect(received == view, "\(view) became \(received)")
        let frame = MessageCodec.frame(of: Envelope(id: 7, .answer(.job(view))))
        guard case (7, "job", let value)? = try? MessageJSON.decodeAnswer(Array(frame.dropFirst(4))),
            let again = try? JSONText.read(JSONText.bytes(of: value)), case .object(let members) = again
        else { fatalError("\(view) is no JSON") }
        let readOnly: Set = [
            "job_id", "version", "created_at", "updated_at", "next_run_time", "schedule_description",
        ]
        let own = JSONValue.Member("job_id", .string(job.id.description))
        let body = [own] + members.filter { !readOnly.contains($0.name) }
        do {
            let payload = try MessageJSON.encodeRequest(name: "update_job", arguments: .object(body), id: 8)
            guard
                case .request(.updateJob(job.id, let settings, [])) = try MessageCodec().decode(payload: payload)
                    .message
            else { fatalError("not the request that was made") }
            let (planned, restarts) = try Scheduler.rules.change(job, by: settings)
            var expected = job
            expected.version += 1
            expect(planned.job == expected && !restarts, "\(job) became \(planned.job)")
        } catch {
            fatalError("a job does not take its own settings: \(error), \(job)")
        }
    }
}

/// The settings by their API names.
private enum Said {
    static let fields: [String: @Sendable (JobSettings) -> JSONValue?] = Dictionary(
        uniqueKeysWithValues: JobField.all.map { field in
            (field.name, { @Sendable settings in settings[field].map(json) })
        }
    )

    private static func json(_ value: JobValue) -> JSONValue {
        switch value {
        case .seconds(let seconds): .number(seconds)
        case .time(let time): .integer(time.milliseconds)
        case .text, .integer, .flag, .list, .headers: JSONValue(value)
        }
    }
}

extension JSONValue {
    /// Compares values independent of the notation of numbers. Times are milliseconds here, and text in the body.
    fileprivate func isLike(_ given: JSONValue) -> Bool {
        switch (self, given) {
        case (.number(let own), .integer(let other)): own == Double(other)
        case (.integer(let own), .number(let other)): Double(own) == other
        case (.integer(let own), .string(let text)): RFC3339.parse(text) == own
        default: self == given
        }
    }
}

/// The scheduler's handling of a request, without a database.
private enum Scheduler {
    static let rules = JobRules(defaults: JobDefaults()) { schedule, zone, policy in
        var errors: [FieldError] = []
        do throws(CronError) {
            let expression = try CronExpression(schedule)
            if zone == "UTC" || zone == "Europe/Vienna" {
                let rules = TimeZoneRules(name: zone, fixedOffset: zone == "UTC" ? 0 : 3_600, abbreviation: "X")
                return .success(SchedulePlan(expression: expression, zone: rules, policy: policy))
            }
        } catch {
            errors.append(FieldError(field: "schedule", message: error.message))
        }
        if zone != "UTC" { errors.append(FieldError(field: "time_zone", message: "is not known")) }
        return .failure(JobRules.FieldErrors(errors))
    }

    private static let id = JobID(UniqueID(high: 0x019F_0000_0000_7000, low: 0x8000_0000_0000_0001))
    /// A job with a value in every field that can be cleared.
    static let base: Job = {
        var settings = JobSettings()
        (settings.schedule, settings.url, settings.name) = ("0 0 12 * * *", "http://localhost/", "base")
        (settings.description, settings.method, settings.body) = ("d", "POST", "b")
        (settings.headers, settings.tags) = ([HTTPHeader(name: "X-A", value: "1")], ["t"])
        (settings.startsAt, settings.endsAt) = (Timestamp(milliseconds: 1_000), Timestamp(milliseconds: 1 << 42))
        (settings.retryInitialDelaySeconds, settings.retryMaxDelaySeconds) = (4, 5)
        return try! rules.make(settings, id: id).job
    }()

    /// The resulting job.
    static func answer(_ request: Request) throws(ClientError) -> Job {
        switch request {
        case .createJob(let settings, nil, nil): return try rules.make(settings, id: id).job
        case .updateJob(id, let settings, []): return try rules.change(base, by: settings).planned.job
        case .executeNow(let settings, true): return try rules.makeAdHoc(settings, id: id).job
        default: fatalError("\(request) is not what was asked for")
        }
    }
}

/// Generates bodies from bytes: each byte is a choice, and generation ends with the bytes.
private struct BodyComposer {
    private var bytes: ArraySlice<UInt8>

    private static let fields = ["create_job", "execute_now"].flatMap { request in
        (MessageJSON.describe(request) ?? []).filter {
            !["idempotency_key", "fingerprint", "wait", "namespace"].contains($0.field)
        }
    }
    private static let texts: [String: [String]] = [
        "schedule": ["* * * * * *", "@daily", "@every 5m", "0 0 29 2 *", "@at 2030-01-01T00:00:00Z", "61 * * * *"],
        "api_url": ["http://a/", "https://user:p@b.example:8443/c?d=e#f", "ftp://a", "http://[::1]/"],
        "time_zone": ["UTC", "Europe/Vienna", "Mars/Olympus"],
        "http_method": ["GET", "POST", "HEAD", "PATCH", "TRACE"],
    ]
    private static let times = [
        "2026-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z", "2026-03-29T02:30:00+02:00",
        "2026-02-30T00:00:00Z",
    ]
    private static let numbers: [JSONValue] = [
        0, 1, -1, 100, 1_000, 86_400, 2_000_000, 2_147_483_648, .integer(.max), .integer(.min), .number(0.05),
        .number(86_400.0004), .number(1e-7), .number(1e300), .number(-0.0), .number(0.1 + 0.2),
    ]

    init(_ bytes: [UInt8]) { self.bytes = bytes[...] }

    private mutating func next() -> Int { bytes.popFirst().map(Int.init) ?? 0 }

    private mutating func text() -> String {
        let length = min(next() % 24, bytes.count)
        defer { bytes.removeFirst(length) }
        return String(decoding: bytes.prefix(length), as: UTF8.self)
    }

    private mutating func pick<Value>(_ values: [Value]) -> Value { values[next() % values.count] }

    mutating func members() -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        while !bytes.isEmpty {
            let index = next()
            guard index < 240 else {
                let name = text()
                if !members.contains(where: { $0.name == name }) { members.append(.init(name, any(2))) }
                continue
            }
            let field = Self.fields[index % Self.fields.count]
            let value = next() < 208 ? value(field.field, field.type) : any(3)
            if !members.contains(where: { $0.name == field.field }) { members.append(.init(field.field, value)) }
        }
        return members
    }

    /// A value that mostly fits the field.
    private mutating func value(_ field: String, _ type: String) -> JSONValue {
        if type.hasPrefix("array of ") {
            return .array((0..<next() % 4).map { _ in value(field, String(type.dropFirst(9))) })
        }
        if type.hasPrefix("one of ") {
            return .string(pick(type.dropFirst(7).split(separator: ",").map { String($0.drop { $0 == " " }) }))
        }
        switch type {
        case "boolean": return .bool(next() % 2 == 0)
        case "integer": return next() % 4 == 0 ? pick(Self.numbers) : .integer(Int64(next()) - 20)
        case "number": return next() % 4 == 0 ? pick(Self.numbers) : .number(Double(next()) / 8)
        case "time (RFC 3339)": return .string(pick(Self.times))
        case "object of strings":
            return .object((0..<next() % 4).map { .init("h\($0)\(text())", .string(text())) })
        default:
            guard let texts = Self.texts[field], next() % 4 != 0 else { return .string(text()) }
            return .string(pick(texts))
        }
    }

    private mutating func any(_ depth: Int) -> JSONValue {
        switch next() % (depth == 0 ? 4 : 6) {
        case 0: .null
        case 1: .bool(true)
        case 2: pick(Self.numbers)
        case 3: .string(text())
        case 4: .array((0..<next() % 3).map { _ in any(depth - 1) })
        default: .object((0..<next() % 3).map { .init("m\($0)", any(depth - 1)) })
        }
    }
}
