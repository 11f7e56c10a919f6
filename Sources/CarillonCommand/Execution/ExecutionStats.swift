internal import ArgumentParser
internal import CarillonJSON

struct ExecutionStats: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Show statistics of a job: successes, failures, durations, drift.",
        discussion: """
            Covers the last 24 hours by default.

              carillon execution stats report --from -7d
            """
    )

    @Argument(help: "The job's name, its id, or the end of its id.", completion: JobNames.completion)
    var job: String

    @OptionGroup
    var range: RangeOptions

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        var arguments = [JSONValue.Member("job_id", .string(try await session.jobID(job)))]
        if let from = range.from {
            arguments.append(JSONValue.Member("from", .string(from.text(at: world.now(), in: session.times))))
        }
        if let to = range.to {
            arguments.append(JSONValue.Member("to", .string(to.text(at: world.now(), in: session.times))))
        }
        let stats = try await session.call("get_execution_stats", .object(arguments))
        switch session.format {
        case .json: try session.writeJSON(stats)
        case .table: try session.write(DetailTable.stats(stats, session.times).text(session.style))
        }
    }
}
