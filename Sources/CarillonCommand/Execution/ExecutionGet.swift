internal import ArgumentParser
internal import CarillonWire

struct ExecutionGet: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Show an execution with its failed attempts."
    )

    @Argument(help: "The job's id or name.")
    var job: String

    @Argument(help: "The execution's id.")
    var execution: String

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        let arguments: JSONValue = ["job_id": .string(id), "execution_id": .string(execution)]
        session.show(execution: try await session.call("get_execution", arguments))
    }
}

struct ExecutionLatest: WorldCommand {
    static let configuration = CommandConfiguration(commandName: "latest", abstract: "Show a job's last execution.")

    @Argument(help: "The job's id or name.")
    var job: String

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        session.show(execution: try await session.call("get_latest_execution", ["job_id": .string(id)]))
    }
}

struct ExecutionCancel: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel",
        abstract: "Cancel an execution that is not over.",
        discussion: """
            Ends with status 75 when it is over: the first outcome that is recorded wins. A call that runs is stopped; \
            whether its target has acted on it, nobody can know.
            """
    )

    @Argument(help: "The job's id or name.")
    var job: String

    @Argument(help: "The execution's id.")
    var execution: String

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        let arguments: JSONValue = ["job_id": .string(id), "execution_id": .string(execution)]
        session.show(execution: try await session.call("cancel_execution", arguments))
    }
}
