internal import ArgumentParser
internal import CarillonJSON

struct ExecutionList: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the executions of one job or of all jobs, newest first.",
        discussion: """
              carillon execution list --status FAILED --from yesterday
              carillon execution list report --limit 10
              carillon execution list report --from 2026-11-01 --to 2026-12-01 --all --output json
            """
    )

    @Argument(
        help: "The job's name, its id, or the end of its id; all jobs by default.",
        completion: JobNames.completion
    )
    var job: String?

    @Option(
        name: .customLong("status"),
        parsing: .singleValue,
        help: ArgumentHelp(
            "Only these statuses: SUCCESS, FAILED, ...; repeat the option or separate them by commas.",
            valueName: "status"
        ),
        completion: .list(ExecutionStatusNames.all)
    )
    var status: [String] = []

    @OptionGroup
    var range: RangeOptions

    @OptionGroup
    var page: PageOptions

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    private var statuses: [String] {
        status.flatMap { $0.split(separator: ",") }.map { TextFormat.constant(TextFormat.trimmed($0)) }
    }

    func validate() throws {
        // An empty --status is an error: a script that left a variable empty must not list all executions.
        guard status.isEmpty || !statuses.isEmpty else {
            throw ValidationError("--status is empty; give a status such as FAILED, or leave the option out")
        }
    }

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        var arguments: [JSONValue.Member] = []
        if let job { arguments.append(JSONValue.Member("job_id", .string(try await session.jobID(job)))) }
        if !statuses.isEmpty { arguments.append(JSONValue.Member("status", .array(statuses.map(JSONValue.string)))) }
        if let from = range.from {
            arguments.append(JSONValue.Member("from", .string(from.text(at: world.now(), in: session.times))))
        }
        if let to = range.to {
            arguments.append(JSONValue.Member("to", .string(to.text(at: world.now(), in: session.times))))
        }
        let list = PagedList(request: "list_executions", arguments: arguments, member: "executions", count: page.count)
        try await list.write(in: session, as: job == nil ? .executionsOfAllJobs : .executions)
    }
}
