internal import ArgumentParser
internal import CarillonCore
internal import CarillonCron
internal import CarillonSystem

/// Where and from when times are looked for.
struct CronOptions: ParsableArguments {
    @Option(
        name: .customLong("time-zone"),
        help: ArgumentHelp("An IANA time zone, such as Europe/Berlin.", valueName: "zone")
    )
    var timeZone = "UTC"

    @Option(
        name: .customLong("from"),
        parsing: .unconditional,
        help: ArgumentHelp("Times after this one; now unless told. \(TimeArgument.rule).", valueName: "time"),
        transform: TimeArgument.read
    )
    var from: TimeArgument?

    @Option(
        name: .customLong("count"),
        parsing: .unconditional,
        help: ArgumentHelp("How many. (default: \(CronQuery.usualCount))", valueName: "count"),
        transform: WholeNumber.read
    )
    var count = CronQuery.usualCount

    @Option(
        name: .customLong("dst-policy"),
        help: ArgumentHelp(
            """
            What becomes of a fixed time when clocks are set. CRON: once, right after the gap, and once, at the first, where it \
            is repeated. SKIP: not at all in the gap. BOTH: as CRON, and twice where it is repeated.
            """,
            valueName: "policy"
        ),
        completion: .list(PolicyWord.allCases.map(\.rawValue))
    )
    var dstPolicy = PolicyWord.cron

    func validate() throws {
        guard CronQuery.counts.contains(count) else {
            throw ValidationError(
                "--count is \(count); \(CronQuery.counts.lowerBound) to \(CronQuery.counts.upperBound) are allowed"
            )
        }
    }

    /// What is asked about one expression.
    func query(_ text: String, reverse: Bool = false, in world: World) throws -> CronQuery {
        do {
            return CronQuery(
                expression: try CronExpression(text),
                zone: try world.zones.zone(named: timeZone),
                from: from?.time(at: world.now()) ?? world.now(),
                count: count,
                isReversed: reverse,
                policy: dstPolicy.policy
            )
        } catch let error as CronError {
            throw CommandFailure(status: .invalidData, text: error.message)
        } catch let error as ZoneError {
            throw CommandFailure(status: .invalidData, text: error.message)
        }
    }
}

/// A daylight policy as a word of the command line, in any case.
enum PolicyWord: String, CaseIterable, ExpressibleByArgument {
    case cron = "CRON"
    case skip = "SKIP"
    case both = "BOTH"

    init?(argument: String) {
        self.init(rawValue: TextFormat.constant(argument))
    }

    var policy: DaylightPolicy {
        switch self {
        case .cron: .cron
        case .skip: .skip
        case .both: .both
        }
    }
}

/// The one expression of a command. A shell that was given it without quotes has made several words of it.
struct ExpressionArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The cron expression, in quotes.", valueName: "expression"))
    var words: [String] = []

    /// - Parameter example: the command as it should have been.
    func text(_ example: String) throws -> String {
        switch words.count {
        case 1: return words[0]
        case 0: throw ValidationError("an expression is missing: \(example) '*/5 * * * *'")
        default:
            throw ValidationError(
                "the expression came as \(words.count) words; put it in quotes: \(example) '*/5 * * * *'"
            )
        }
    }
}
