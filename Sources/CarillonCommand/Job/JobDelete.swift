internal import ArgumentParser
internal import CarillonJSON

struct JobDelete: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "delete",
        abstract: "Delete jobs; their history is kept.",
        discussion: """
            Asks for confirmation if there is a terminal; --yes skips the question. Scripts without a terminal are not asked. Running calls are \
            completed; executions that wait for a retry are cancelled.

              carillon job delete report
              carillon job delete report backup --yes
            """
    )

    @Argument(help: "The jobs: names, ids, or ends of ids.", completion: JobNames.completion)
    var jobs: [String]

    @Option(
        name: .customLong("if-version"),
        parsing: .unconditional,
        help: ArgumentHelp("Delete the job only if it still has this version.", valueName: "number"),
        transform: WholeNumber.read
    )
    var ifVersion: Int?

    @Flag(name: [.customLong("yes"), .customShort("y")], help: "Do not ask.")
    var yes = false

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        if ifVersion != nil, jobs.count > 1 {
            throw ValidationError("--if-version applies to a single job; delete the jobs one by one")
        }
    }

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let found = try await session.jobIDs(jobs)
        if world.isInteractive, !yes { try confirm(found, in: world) }
        let (answers, failure) = try await session.forEachJob(found.map(\.id)) { id in
            var members = [JSONValue.Member("job_id", .string(id))]
            if let ifVersion { members.append(JSONValue.Member("if_version", [.integer(Int64(ifVersion))])) }
            return try await session.call("delete_job", .object(members))
        }
        switch session.format {
        case .json: try session.show(answers, as: .jobs) { try session.writeJSON($0) }
        case .table: try session.write(answers.map { "deleted \(ValueFormat.text($0["job_id"]))\n" }.joined())
        }
        if let failure { throw failure }
    }

    private func confirm(_ found: [(reference: String, id: String)], in world: World) throws {
        let names = found.map { TerminalText.line($0.reference == $0.id ? $0.id : "\($0.reference) (\($0.id))") }
        let what = found.count == 1 ? "the job" : "\(found.count) jobs:"
        world.writeError("Delete \(what) \(names.joined(separator: ", "))? [y/N] ")
        var lines = InputLines(read: world.readPart)
        let answer = try lines.next()?.first.map {
            TextFormat.trimmed(String(decoding: $0, as: UTF8.self)).lowercased()
        }
        guard answer == "y" || answer == "yes" else {
            throw CommandFailure(status: .failure, text: "not confirmed; nothing was deleted")
        }
    }
}
