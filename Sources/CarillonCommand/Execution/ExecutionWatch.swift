internal import ArgumentParser
internal import CarillonCore
internal import CarillonJSON
internal import Glibc

struct ExecutionWatch: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch",
        abstract: "Show executions as they change, until Ctrl-C.",
        discussion: """
            A line for each change, of one job or of all; with --output json an object a line. Ctrl-C ends it with \
            status 0.

              carillon execution watch
              carillon execution watch report --output json
            """
    )

    @Argument(
        help: "The job's name, its id, or the end of its id; all jobs when it is left out.",
        completion: JobNames.completion
    )
    var job: String?

    @Option(
        name: .customLong("count"),
        parsing: .unconditional,
        help: ArgumentHelp("End after so many lines.", valueName: "count"),
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
    /// Writes a line for each change of an execution, until there are `count` or the watch ends.
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

/// Ctrl-C where it is the way to end.
enum Interruption {
    static func endsQuietly() {
        // Nothing is buffered and the connection's end is what stops a watch, so the process may simply go.
        signal(SIGINT) { _ in _exit(0) }
        signal(SIGTERM) { _ in _exit(0) }
    }
}
