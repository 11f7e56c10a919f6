internal import ArgumentParser

enum OutputFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
    case table, json
}

/// `--output`.
struct OutputOptions: ParsableArguments {
    @Option(
        name: [.customLong("output"), .customShort("o")],
        help: "table or json. (environment: CARILLON_OUTPUT; default: table)"
    )
    var output: OutputFormat?

    func format(in world: World) throws -> OutputFormat {
        if let output { return output }
        guard let text = world.environment["CARILLON_OUTPUT"], !text.isEmpty else { return .table }
        guard let format = OutputFormat(rawValue: text.lowercased()) else {
            throw ValidationError("CARILLON_OUTPUT is \"\(text)\"; it must be table or json")
        }
        return format
    }
}

/// The options of every command that connects to a scheduler.
struct GlobalOptions: ParsableArguments {
    @Option(
        name: .customLong("schedulers"),
        help: ArgumentHelp(
            """
            Addresses of the schedulers, separated by commas. (environment: SCHEDULERS; default: those of the context, or \
            127.0.0.1:7070)
            """,
            valueName: "host:port,..."
        )
    )
    var schedulers: String?

    @Option(
        name: .customLong("context"),
        help: ArgumentHelp(
            "A context of the configuration file. (environment: CARILLON_CONTEXT; default: the file's context)",
            valueName: "name"
        )
    )
    var context: String?

    @OptionGroup
    var output: OutputOptions

    @Option(
        name: .customLong("request-timeout"),
        parsing: .unconditional,
        help: ArgumentHelp("How long to wait for a response. (default: 10s)", valueName: "duration"),
        transform: DurationArgument.read
    )
    var requestTimeout: DurationArgument?

    func validate() throws {
        if requestTimeout?.milliseconds == 0 {
            throw ValidationError(
                "--request-timeout is less than a millisecond; use a longer time, for example 5s"
            )
        }
    }

    func addresses(in world: World) throws -> [String] {
        try SchedulerAddresses.list(option: schedulers, context: context, in: world)
    }

    func format(in world: World) throws -> OutputFormat {
        try output.format(in: world)
    }

    func session(in world: World) throws -> Session {
        try session(in: world, times: TimeFormat(zone: world.localZone()))
    }

    func session(in world: World, times: TimeFormat) throws -> Session {
        Session(
            world: world,
            caller: try world.connect(try addresses(in: world), requestTimeout?.milliseconds),
            format: try format(in: world),
            times: times
        )
    }
}

/// `--limit` and `--all` of a list.
struct PageOptions: ParsableArguments {
    @Option(
        name: .customLong("limit"),
        parsing: .unconditional,
        help: ArgumentHelp("Maximum number of results. (default: 100)", valueName: "count"),
        transform: WholeNumber.read
    )
    var limit = 100

    @Flag(name: .customLong("all"), help: "Show all results.")
    var all = false

    func validate() throws {
        guard limit >= 1 else { throw ValidationError("--limit is \(limit); it must be at least 1") }
    }

    /// `nil` for no limit.
    var count: Int? { all ? nil : limit }
}
