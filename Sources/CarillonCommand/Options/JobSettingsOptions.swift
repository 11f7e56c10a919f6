internal import ArgumentParser
internal import CarillonCore
internal import CarillonJSON

/// The settings of a job as options, shared by `job create` and `job update`.
struct JobSettingsOptions: ParsableArguments {
    @Option(
        name: .customLong("schedule"),
        parsing: .unconditional,
        help: ArgumentHelp(
            """
            The schedule: a cron expression of 5, 6 (second first) or 7 fields (year last), a nickname such as @hourly, @every 90s, @at and a \
            time, or several of these joined by |. See `carillon cron --help`.
            """,
            valueName: "expression"
        )
    )
    var schedule: String?

    @Option(
        name: [.customLong("url"), .customLong("api-url")],
        help: "The URL to call: an absolute http or https URL."
    )
    var url: String?

    @Option(
        name: .customLong("name"),
        parsing: .unconditional,
        help: "A unique name, which can be used instead of the id."
    )
    var name: String?

    @Option(name: .customLong("description"), parsing: .unconditional, help: "A description.")
    var description: String?

    @Option(
        name: .customLong("time-zone"),
        help: ArgumentHelp("An IANA time zone. (default: \(Job.blank.timeZone))", valueName: "zone")
    )
    var timeZone: String?

    @Option(
        name: .customLong("dst-policy"),
        help: ArgumentHelp("How due times are treated when clocks change: CRON, SKIP or BOTH.", valueName: "policy"),
        completion: .list(JobField.daylightPolicy.words)
    )
    var dstPolicy: String?

    @Option(
        name: .customLong("method"),
        help: "The HTTP method. (default: \(Job.blank.call.method))",
        completion: .list(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])
    )
    var method: String?

    @Option(
        name: .customLong("header"),
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp("A header of the request; may be repeated.", valueName: "name: value")
    )
    var headers: [String] = []

    @Option(
        name: .customLong("body"),
        parsing: .unconditional,
        help: ArgumentHelp("The body of the request: text, @FILE, or - for standard input.", valueName: "body")
    )
    var body: String?

    @Option(
        name: .customLong("execution-type"),
        help: ArgumentHelp("AT_LEAST_ONCE or AT_MOST_ONCE.", valueName: "type"),
        completion: .list(JobField.executionType.words)
    )
    var executionType: String?

    @Option(
        name: .customLong("timeout"),
        parsing: .unconditional,
        help: ArgumentHelp("The timeout of a call.", valueName: "duration"),
        transform: DurationArgument.read
    )
    var timeout: DurationArgument?

    @Option(
        name: .customLong("max-retries"),
        parsing: .unconditional,
        help: ArgumentHelp("The number of attempts after a failed first attempt.", valueName: "count"),
        transform: WholeNumber.read
    )
    var maxRetries: Int?

    @Option(
        name: .customLong("retry-initial-delay"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "The delay before the second attempt; doubled for each further attempt.",
            valueName: "duration"
        ),
        transform: DurationArgument.read
    )
    var retryInitialDelay: DurationArgument?

    @Option(
        name: .customLong("retry-max-delay"),
        parsing: .unconditional,
        help: ArgumentHelp("The maximum delay between attempts.", valueName: "duration"),
        transform: DurationArgument.read
    )
    var retryMaxDelay: DurationArgument?

    @Option(
        name: .customLong("catch-up-policy"),
        help: ArgumentHelp("Which due times missed in a long outage run: LATEST, ALL or NONE.", valueName: "policy"),
        completion: .list(JobField.catchUpPolicy.words)
    )
    var catchUpPolicy: String?

    @Option(
        name: .customLong("catch-up-window"),
        parsing: .unconditional,
        help: ArgumentHelp("Due times missed by at most this duration always run.", valueName: "duration"),
        transform: DurationArgument.read
    )
    var catchUpWindow: DurationArgument?

    @Option(
        name: .customLong("overlap-policy"),
        help: ArgumentHelp("ALLOW or SKIP a due time while an execution is open.", valueName: "policy"),
        completion: .list(JobField.overlapPolicy.words)
    )
    var overlapPolicy: String?

    @Option(
        name: .customLong("priority"),
        parsing: .unconditional,
        help: ArgumentHelp("Higher priorities run first when all workers are busy.", valueName: "number"),
        transform: WholeNumber.read
    )
    var priority: Int?

    @Option(
        name: .customLong("starts-at"),
        parsing: .unconditional,
        help: ArgumentHelp("No due times before this time.", valueName: "time"),
        transform: TimeArgument.read
    )
    var startsAt: TimeArgument?

    @Option(
        name: .customLong("ends-at"),
        parsing: .unconditional,
        help: ArgumentHelp("No due times after this time.", valueName: "time"),
        transform: TimeArgument.read
    )
    var endsAt: TimeArgument?

    @Option(
        name: .customLong("tag"),
        parsing: .unconditionalSingleValue,
        help: "A tag to filter by; may be repeated."
    )
    var tags: [String] = []

    @Option(
        name: .customLong("start-deadline"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "Skip an execution that has not started this long after its due time.",
            valueName: "duration"
        ),
        transform: DurationArgument.read
    )
    var startDeadline: DurationArgument?

    @Option(
        name: .customLong("file"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "Settings from a JSON object in a file, or - for standard input; options have precedence.",
            valueName: "path"
        ),
        completion: .file(extensions: ["json"])
    )
    var file: String?

    /// Fields that `job get` shows and that cannot be set. A file may contain them, so that the output for one job can
    /// create another.
    private static let readOnly: Set<String> = [
        "job_id", "schedule_description", "version", "created_at", "updated_at", "next_run_time",
    ]

    func validate() throws {
        if file == "" {
            throw ValidationError("--file is empty; give a file with a JSON object, or - for standard input")
        }
    }

    /// The settings as members of a request, in the order of the message fields.
    func members(in world: World, droppingNulls: Bool) throws -> [JSONValue.Member] {
        if file == "-", body == "-" {
            throw ValidationError("--file - and --body - cannot both read standard input")
        }
        var members = try file.map { try JobSettingsOptions.read($0, in: world) } ?? []
        if droppingNulls { members.removeAll { $0.value == .null } }
        for option in try given(in: world) {
            if let index = members.firstIndex(where: { $0.name == option.name }) {
                members[index] = option
            } else {
                members.append(option)
            }
        }
        return members
    }

    private func given(in world: World) throws -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        func add(_ name: String, _ value: JSONValue?) {
            if let value { members.append(JSONValue.Member(name, value)) }
        }
        add("schedule", schedule.map(JSONValue.string))
        add("api_url", url.map(JSONValue.string))
        add("execution_type", executionType.map { .string(TextFormat.constant($0)) })
        add("name", name.map(JSONValue.string))
        add("description", description.map(JSONValue.string))
        add("time_zone", timeZone.map(JSONValue.string))
        add("dst_policy", dstPolicy.map { .string(TextFormat.constant($0)) })
        add("http_method", method.map(JSONValue.string))
        // Not `headers.isEmpty ? nil : ...`: a `JSONValue` can itself be `nil`, and null would remove all headers.
        if !headers.isEmpty { add("headers", try JobSettingsOptions.headers(headers)) }
        add("body", try body.map { .string(try JobSettingsOptions.body($0, in: world)) })
        add("timeout_seconds", timeout.map { .number($0.seconds) })
        add("max_retries", maxRetries.map { .integer(Int64($0)) })
        add("retry_initial_delay_seconds", retryInitialDelay.map { .number($0.seconds) })
        add("retry_max_delay_seconds", retryMaxDelay.map { .number($0.seconds) })
        add("catch_up_policy", catchUpPolicy.map { .string(TextFormat.constant($0)) })
        add("catch_up_window_seconds", catchUpWindow.map { .number($0.seconds) })
        add("overlap_policy", overlapPolicy.map { .string(TextFormat.constant($0)) })
        add("priority", priority.map { .integer(Int64($0)) })
        add("starts_at", startsAt.map { .string($0.text(at: world.now())) })
        add("ends_at", endsAt.map { .string($0.text(at: world.now())) })
        if !tags.isEmpty { add("tags", .array(tags.map(JSONValue.string))) }
        add("start_deadline_seconds", startDeadline.map { .number($0.seconds) })
        return members
    }

    static func headers(_ lines: [String]) throws -> JSONValue {
        var members: [JSONValue.Member] = []
        for line in lines {
            guard let colon = line.firstIndex(of: ":"), colon != line.startIndex else {
                throw ValidationError("--header \"\(line)\" is not \"Name: value\"")
            }
            let name = TextFormat.trimmed(line[..<colon])
            let value = TextFormat.trimmed(line[line.index(after: colon)...])
            // Headers with the same name are joined with commas (RFC 9110, section 5.3).
            let same = members.firstIndex { $0.name.lowercased() == name.lowercased() }
            if let same, case .string(let before) = members[same].value {
                members[same].value = .string("\(before), \(value)")
            } else {
                members.append(JSONValue.Member(name, .string(value)))
            }
        }
        return .object(members)
    }

    private static func body(_ text: String, in world: World) throws -> String {
        let bytes: [UInt8]
        if text == "-" {
            bytes = try world.readInput()
        } else if text.hasPrefix("@") {
            bytes = try world.readFile(String(text.dropFirst()))
        } else {
            return text
        }
        guard let body = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(status: .invalidData, text: "--body \(text) is not UTF-8 text; a body must be UTF-8")
        }
        return body
    }

    private static func read(_ path: String, in world: World) throws -> [JSONValue.Member] {
        let name = path == "-" ? "standard input" : path
        let bytes = path == "-" ? try world.readInput() : try world.readFile(path)
        let value: JSONValue
        do throws(JSONText.Problem) {
            value = try JSONText.read(bytes)
        } catch {
            throw CommandFailure(status: .invalidData, text: "\(name) is not JSON: \(error)")
        }
        guard case .object(let members) = value else {
            throw CommandFailure(
                status: .invalidData,
                text: "\(name) is \(value.kindInWords); it must be an object with a job's settings"
            )
        }
        return members.filter { !readOnly.contains($0.name) }
    }
}
