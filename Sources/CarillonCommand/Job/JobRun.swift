internal import ArgumentParser
internal import CarillonJSON

struct JobRun: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Run jobs now, in addition to their schedules.",
        discussion: """
            Prints the new execution; paused jobs can be run too. With --wait the command exits when the execution ends, with \
            status 0 for SUCCESS and 1 for any other outcome; Ctrl-C ends only the wait, not the execution.

              carillon job run report
              carillon job run report --wait
              carillon job run report backup
            """
    )

    @Argument(help: "The jobs: names, ids, or ends of ids.", completion: JobNames.completion)
    var jobs: [String]

    @Flag(name: .customLong("wait"), help: "Wait for the outcome.")
    var waits = false

    @Option(
        name: .customLong("idempotency-key"),
        help: ArgumentHelp("A key that makes it safe to repeat the command.", valueName: "key")
    )
    var idempotencyKey: String?

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        if idempotencyKey != nil, jobs.count > 1 {
            throw ValidationError("--idempotency-key applies to a single execution; run the jobs one by one")
        }
    }

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        var (executions, failure) = try await session.forEachJob(jobs) { id in
            var members = [JSONValue.Member("job_id", .string(id))]
            if let idempotencyKey {
                members.append(JSONValue.Member("idempotency_key", .string(idempotencyKey)))
                members.append(JSONValue.Member("fingerprint", .string(Fingerprint.of(.object(members)))))
            }
            return try await session.call("run_job", .object(members))
        }
        if waits {
            for index in executions.indices { executions[index] = try await session.outcome(of: executions[index]) }
        }
        try session.show(executions, as: jobs.count == 1 ? .executions : .executionsOfAllJobs) {
            try session.show(execution: $0)
        }
        if let failure { throw failure }
        if waits, executions.contains(where: { $0["status"] != "SUCCESS" }) {
            throw ExitCode(ExitStatus.failure.rawValue)
        }
    }
}

extension Session {
    private static let openStatuses: Set<String> = ["PENDING", "RUNNING", "RETRYING"]

    /// Polls an execution until it has ended.
    fileprivate func outcome(of execution: JSONValue) async throws -> JSONValue {
        let ids: JSONValue = [
            "job_id": execution["job_id"] ?? .null, "execution_id": execution["execution_id"] ?? .null,
        ]
        var current = execution
        var interval = Duration.milliseconds(50)
        while Session.openStatuses.contains(ValueFormat.text(current["status"])) {
            try await world.sleep(interval)
            interval = min(interval * 2, .seconds(1))
            do {
                current = try await call("get_execution", ids)
            } catch {
                world.writeError(
                    "the execution \(ValueFormat.text(ids["execution_id"])) of \(ValueFormat.text(ids["job_id"])) was created\n"
                )
                throw error
            }
        }
        return current
    }
}
