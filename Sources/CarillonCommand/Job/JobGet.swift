internal import ArgumentParser
internal import CarillonWire

struct JobGet: WorldCommand {
    static let configuration = CommandConfiguration(commandName: "get", abstract: "Show a job.")

    @Argument(help: "The job's id or name.")
    var job: String

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        session.show(job: try await session.call("get_job", ["job_id": .string(id)]))
    }
}
