internal import ArgumentParser
internal import CarillonJSON

struct JobPause: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause",
        abstract: "Pause jobs.",
        discussion: """
            Running calls are completed; executions that wait for a retry are cancelled. A paused job has no due times until it is \
            resumed.

              carillon job pause report backup
            """
    )

    @Argument(
        help: "The jobs: names, ids, or ends of ids.",
        completion: JobNames.completion
    )
    var jobs: [String]

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let (answers, failure) = try await session.forEachJob(jobs) { id in
            try await session.call("pause_job", ["job_id": .string(id)])
        }
        try session.show(answers, as: .jobs) { try session.show(job: $0) }
        if let failure { throw failure }
    }
}

struct JobResume: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume",
        abstract: "Resume paused jobs from now on.",
        discussion: "Due times during the pause are not caught up."
    )

    @Argument(
        help: "The jobs: names, ids, or ends of ids.",
        completion: JobNames.completion
    )
    var jobs: [String]

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let (answers, failure) = try await session.forEachJob(jobs) { id in
            try await session.call("resume_job", ["job_id": .string(id)])
        }
        try session.show(answers, as: .jobs) { try session.show(job: $0) }
        if let failure { throw failure }
    }
}
