internal import ArgumentParser
internal import CarillonWire

struct JobDelete: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete a job; its history stays.",
        discussion: "It does not ask. What is running is finished; what waits for a retry is cancelled."
    )

    @Argument(help: "The job's id or name.")
    var job: String

    @Option(
        name: .customLong("if-version"),
        parsing: .unconditional,
        help: ArgumentHelp("Delete it only if it still has this version.", valueName: "number"),
        transform: WholeNumber.read
    )
    var ifVersion: Int?

    @Flag(name: .customLong("yes"), help: .hidden)
    var yes = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        var members = [JSONValue.Member("job_id", .string(id))]
        if let ifVersion { members.append(JSONValue.Member("if_version", .integer(Int64(ifVersion)))) }
        let answer = try await session.call("delete_job", .object(members))
        switch session.format {
        case .json: session.writeJSON(answer)
        case .table: session.write("deleted \(id)\n")
        }
    }
}
