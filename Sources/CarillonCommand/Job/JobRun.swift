internal import ArgumentParser
internal import CarillonWire

struct JobRun: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run a job now, besides its schedule.",
        discussion: """
            Prints the execution that was made, without waiting for its end; a paused job runs too.

              carillon job run report
              carillon execution latest report
            """
    )

    @Argument(help: "The job's id or name.")
    var job: String

    @Option(
        name: .customLong("idempotency-key"),
        help: ArgumentHelp("Makes a repeated command harmless.", valueName: "key")
    )
    var idempotencyKey: String?

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let id = try await session.jobID(job)
        var members = [JSONValue.Member("job_id", .string(id))]
        if let idempotencyKey {
            members.append(JSONValue.Member("idempotency_key", .string(idempotencyKey)))
            members.append(JSONValue.Member("fingerprint", .string(Fingerprint.of(.object(members)))))
        }
        session.show(execution: try await session.call("run_job", .object(members)))
    }
}
