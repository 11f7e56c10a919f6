internal import ArgumentParser
internal import CarillonJSON

struct JobList: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List jobs, newest first.",
        discussion: """
            The column JOB has the end of the id, which other commands accept. LAST is FAILED if the last ended execution of the job \
            failed, and empty otherwise; with --last-status it is the given status.

              carillon job list --active
              carillon job list --tag nightly --last-status FAILED
              carillon job list --all --output json
            """
    )

    @Flag(inversion: .prefixedNo, exclusivity: .exclusive, help: "Only active jobs, or only paused jobs.")
    var active: Bool?

    @Option(name: .customLong("name"), help: "The job with this name.", completion: JobNames.completion)
    var name: String?

    @Option(name: .customLong("tag"), help: "Jobs with this tag.")
    var tag: String?

    @Option(
        name: .customLong("last-status"),
        help: ArgumentHelp(
            "Jobs whose last ended execution has this status: SUCCESS, FAILED, ...",
            valueName: "status"
        ),
        completion: .list(ExecutionStatusNames.all)
    )
    var lastStatus: String?

    @OptionGroup
    var page: PageOptions

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        var arguments: [JSONValue.Member] = []
        if let active { arguments.append(JSONValue.Member("active", .bool(active))) }
        if let name { arguments.append(JSONValue.Member("name", .string(name))) }
        if let tag { arguments.append(JSONValue.Member("tag", .string(tag))) }
        if let lastStatus {
            arguments.append(JSONValue.Member("last_status", .string(TextFormat.constant(lastStatus))))
        }
        let list = PagedList(request: "list_jobs", arguments: arguments, member: "jobs", count: page.count)
        var failures = LastStatus(only: lastStatus.map { TextFormat.constant($0) })
        try await list.write(in: session, as: .jobs) { page, jobs in
            try await failures.added(to: jobs, ofPage: page, in: session)
        }
    }
}
