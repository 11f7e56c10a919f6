internal import ArgumentParser
internal import CarillonJSON

struct ExecutionGet: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show an execution with its failed attempts.",
        usage: "carillon execution get [<job>] <execution> [<options>]",
        discussion: """
            Write EXECUTION as an id, the end of an id as tables show it, or JOB@TIME. The job may precede it.

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
        abstract: "Cancel an open execution.",
        usage: "carillon execution cancel [<job>] <execution> [<options>]",
        discussion: """
            Write EXECUTION as for `carillon execution get`. Exits with status 75 if the execution has already ended: the first recorded outcome wins. A running call is stopped; \
            the target may already have processed it.
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
