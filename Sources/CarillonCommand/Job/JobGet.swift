internal import ArgumentParser
internal import CarillonJSON

struct JobGet: WorldCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Show a job.")

    @Argument(help: "The job's name, its id, or the end of its id.", completion: JobNames.completion)
    var job: String

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let id = try await session.jobID(job)
        try session.show(job: try await session.call("get_job", ["job_id": .string(id)]))
    }
}
