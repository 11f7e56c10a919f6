internal import ArgumentParser

/// `carillon execution …`
struct ExecutionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "execution",
        abstract: "Show, watch and cancel executions.",
        discussion: """
            An execution is one due time or manual run of a job, with its calls and its outcome.

              carillon execution list --status FAILED --from yesterday
              carillon execution list report --from -2h
              carillon execution watch
              carillon execution stats report --from 2026-11-01
            """,
        subcommands: [
            ExecutionList.self, ExecutionGet.self, ExecutionLatest.self, ExecutionStats.self, ExecutionCancel.self,
            ExecutionWatch.self,
        ],
        aliases: ["executions"]
    )
}

/// The names of the statuses, for completions.
enum ExecutionStatusNames {
    static let all = ["PENDING", "RUNNING", "RETRYING", "SUCCESS", "FAILED", "CANCELLED", "UNKNOWN", "SKIPPED"]
}

/// `--from` and `--to`.
struct RangeOptions: ParsableArguments {
    @Option(
        name: .customLong("from"),
        parsing: .unconditional,
        help: ArgumentHelp("Scheduled at this time or later: \(TimeArgument.localRule).", valueName: "time"),
        transform: TimeArgument.readLocal
    )
    var from: TimeArgument?

    @Option(
        name: .customLong("to"),
        parsing: .unconditional,
        help: ArgumentHelp("Scheduled before this time; same formats as --from.", valueName: "time"),
        transform: TimeArgument.readLocal
    )
    var to: TimeArgument?
}
