package import CarillonCore
package import CarillonSystem
internal import Glibc

/// What the commands need of the world, so that tests can give them another one.
package struct World: Sendable {
    package var environment: [String: String]
    /// Columns of the terminal that the output goes to; `nil` when it goes somewhere else.
    package var terminalWidth: Int?
    package var now: @Sendable () -> Timestamp
    /// Standard output and standard error; the text is written as it is.
    package var write: @Sendable (String) -> Void
    package var writeError: @Sendable (String) -> Void
    /// All of standard input.
    package var readInput: @Sendable () throws(FileProblem) -> [UInt8]
    /// The next bytes of standard input, at least one; `nil` at its end.
    package var readPart: @Sendable () throws(FileProblem) -> [UInt8]?
    package var readFile: @Sendable (String) throws(FileProblem) -> [UInt8]
    /// A client of the schedulers at these addresses, with the milliseconds that a request may take (`nil`: what suits it).
    package var connect: @Sendable ([String], Int64?) throws(ClientError) -> any SchedulerCaller
    package var zones: ZoneDirectory

    package init(
        environment: [String: String],
        terminalWidth: Int?,
        now: @escaping @Sendable () -> Timestamp,
        write: @escaping @Sendable (String) -> Void,
        writeError: @escaping @Sendable (String) -> Void,
        readInput: @escaping @Sendable () throws(FileProblem) -> [UInt8],
        readPart: @escaping @Sendable () throws(FileProblem) -> [UInt8]?,
        readFile: @escaping @Sendable (String) throws(FileProblem) -> [UInt8],
        connect: @escaping @Sendable ([String], Int64?) throws(ClientError) -> any SchedulerCaller,
        zones: ZoneDirectory = ZoneDirectory()
    ) {
        self.environment = environment
        self.terminalWidth = terminalWidth
        self.now = now
        self.write = write
        self.writeError = writeError
        self.readInput = readInput
        self.readPart = readPart
        self.readFile = readFile
        self.connect = connect
        self.zones = zones
    }

    /// The process's own.
    package static func live() -> World {
        let writeError = { @Sendable (text: String) in StandardOutput.write(text, to: STDERR_FILENO) }
        return World(
            environment: EnvironmentVariables.process.variables,
            terminalWidth: StandardOutput.terminalWidth(),
            now: { SystemClock.now().wall },
            write: { StandardOutput.write($0, to: STDOUT_FILENO) },
            writeError: writeError,
            readInput: { () throws(FileProblem) in try FileText.bytes(of: STDIN_FILENO, name: "standard input") },
            readPart: { () throws(FileProblem) in try FileText.part(of: STDIN_FILENO, name: "standard input") },
            readFile: { path throws(FileProblem) in try FileText.bytes(at: path) },
            connect: { addresses, timeoutMs throws(ClientError) in
                try RPCCaller(schedulers: addresses, timeoutMs: timeoutMs, writeError: writeError)
            }
        )
    }

    /// Whether statuses are coloured: only on a terminal, and not when NO_COLOR says otherwise (https://no-color.org).
    var usesColor: Bool {
        terminalWidth != nil && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }
}
