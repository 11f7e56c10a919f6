internal import ArgumentParser
internal import CarillonWire

struct JobPause: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Make a job inactive.",
        discussion:
            "What is running is finished; what waits for a retry is cancelled. No due time is made until it resumes."
    )

    @Argument(help: "The job's id or name.")
    var job: String

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        session.show(job: try await session.call("pause_job", ["job_id": .string(id)]))
    }
}

struct JobResume: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Make a job active again, from now on.",
        discussion: "Due times of the pause are not made up for."
    )

    @Argument(help: "The job's id or name.")
    var job: String

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        session.show(job: try await session.call("resume_job", ["job_id": .string(id)]))
    }
}
