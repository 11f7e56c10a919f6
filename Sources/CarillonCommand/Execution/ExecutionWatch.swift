internal import ArgumentParser
internal import CarillonCore
internal import CarillonJSON
internal import Glibc

struct ExecutionWatch: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show executions as they change, until Ctrl-C.",
        discussion: """
            Prints one line for each change, for one job or for all jobs; with --output json one object a line. Ctrl-C ends the command with \
            status 0.

              carillon execution watch
              carillon execution watch report --output json
            """
    )

    @Argument(
        help: "The job's name, its id, or the end of its id; all jobs by default.",
        completion: JobNames.completion
    )
    var job: String?

    @Option(
        name: .customLong("count"),
        parsing: .unconditional,
        help: ArgumentHelp("Exit after this number of lines.", valueName: "count"),
        transform: WholeNumber.read
    )
    var count: Int?

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        if let count, count < 1 { throw ValidationError("--count is \(count); it must be at least 1") }
    }

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        var arguments: [JSONValue.Member] = []
        if let job { arguments.append(JSONValue.Member("job_id", .string(try await session.jobID(job)))) }
        try await session.watch(.object(arguments), count: count)
    }
}

extension Session {
    /// Writes a line for each change of an execution, until `count` lines are written or the watch ends.
    func watch(_ arguments: JSONValue, count: Int? = nil) async throws {
        Interruption.endsQuietly()
        var table = table(.watch)
        var left = count ?? .max
        for try await execution in caller.watch(arguments) {
            switch format {
            case .json: try writeLine(execution)
            case .table: try write(table.lines(of: [execution]))
            }
            left -= 1
            if left == 0 { return }
        }
        throw ClientError(.unavailable, "the scheduler ended the watch; start it again")
    }
}

/// Handles Ctrl-C in commands that run until Ctrl-C.
enum Interruption {
    static func endsQuietly() {
        // The process can exit directly: output is not buffered, and the scheduler ends the watch when the connection
        // closes.
        signal(SIGINT) { _ in _exit(0) }
        signal(SIGTERM) { _ in _exit(0) }
    }
}
