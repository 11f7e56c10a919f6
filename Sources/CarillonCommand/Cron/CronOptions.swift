internal import ArgumentParser
internal import CarillonCore
internal import CarillonCron
internal import CarillonSystem

/// The time zone, the start time and the number of due times.
struct CronOptions: ParsableArguments {
    @Option(
        name: .customLong("time-zone"),
        help: ArgumentHelp("An IANA time zone, such as Europe/Berlin.", valueName: "zone")
    )
    var timeZone = "UTC"

    @Option(
        name: .customLong("from"),
        parsing: .unconditional,
        help: ArgumentHelp(
            "List the due times after this time; now by default. \(TimeArgument.rule).",
            valueName: "time"
        ),
        transform: TimeArgument.read
    )
    var from: TimeArgument?

    @Option(
        name: .customLong("count"),
        parsing: .unconditional,
        help: ArgumentHelp("Number of due times. (default: \(CronQuery.usualCount))", valueName: "count"),
        transform: WholeNumber.read
    )
    var count = CronQuery.usualCount

    @Option(
        name: .customLong("dst-policy"),
        help: ArgumentHelp(
            """
            How fixed times are treated when clocks change. CRON: a skipped time runs once, right after the change; a repeated \
            time runs once, the first time. SKIP: a skipped time does not run. BOTH: like CRON, but a repeated time runs twice.
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

    /// The query for one expression.
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

/// A daylight saving policy on the command line, in upper or lower case.
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

/// The expression of a command. If it was not quoted, the shell has split it into several words.
struct ExpressionArgument: ParsableArguments {
    @Argument(help: ArgumentHelp("The cron expression, in quotes.", valueName: "expression"))
    var words: [String] = []

    /// - Parameter example: the correct command, for the error message.
    func text(_ example: String) throws -> String {
        switch words.count {
        case 1: return words[0]
        case 0: throw ValidationError("an expression is missing: \(example) '*/5 * * * *'")
        default:
            throw ValidationError(
                "the expression was split into \(words.count) words; put it in quotes: \(example) '*/5 * * * *'"
            )
        }
    }
}
