internal import ArgumentParser
internal import CarillonJSON

struct ExecutionGet: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show an execution with its failed attempts.",
        usage: "carillon execution get [<job>] <execution> [<options>]",
        discussion: """
            EXECUTION is an id, the end of one as tables show it, or JOB@TIME; the job may stand before it.

              carillon execution get 01a2106e-c2c0-8089-a484-9ca14bea58de
              carillon execution get 4bea58de
              carillon execution get report 4bea58de
              carillon execution get report@2026-11-25T09:00:00
            """
    )

    @OptionGroup
    var execution: ExecutionArgument

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let arguments = try await session.executionIDs(execution.words)
        try session.show(execution: try await session.call("get_execution", arguments))
    }
}

struct ExecutionLatest: WorldCommand {
    static let configuration = CommandConfiguration(commandName: "latest", abstract: "Show a job's last execution.")

    @Argument(help: "The job's name, its id, or the end of its id.", completion: JobNames.completion)
    var job: String

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let id = try await session.jobID(job)
        try session.show(execution: try await session.call("get_latest_execution", ["job_id": .string(id)]))
    }
}

struct ExecutionCancel: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel an execution that is not over.",
        usage: "carillon execution cancel [<job>] <execution> [<options>]",
        discussion: """
            EXECUTION is written as for `carillon execution get`. Ends with status 75 when it is over: the first outcome that is recorded wins. A call that runs is stopped; \
            whether its target has acted on it, nobody can know.
            """
    )

    @OptionGroup
    var execution: ExecutionArgument

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let arguments = try await session.executionIDs(execution.words)
        try session.show(execution: try await session.call("cancel_execution", arguments))
    }
}
