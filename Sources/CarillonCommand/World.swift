package import CarillonCore
package import CarillonCron
internal import CarillonRuntime
package import CarillonSystem
internal import Glibc

/// What the commands need of the world, so that tests can give them another one.
package struct World: Sendable {
    package var environment: [String: String]
    /// Columns of the terminal that the output goes to; `nil` when it goes somewhere else.
    package var terminalWidth: Int?
    /// Whether a person can be asked: standard input and standard error are a terminal.
    package var isInteractive: Bool
    package var now: @Sendable () -> Timestamp
    /// Standard output; the text is written as it is.
    package var write: @Sendable (String) throws(OutputProblem) -> Void
    /// Standard error.
    package var writeError: @Sendable (String) -> Void
    /// All of standard input.
    package var readInput: @Sendable () throws(FileProblem) -> [UInt8]
    /// The next bytes of standard input, at least one; `nil` at its end.
    package var readPart: @Sendable () throws(FileProblem) -> [UInt8]?
    package var readFile: @Sendable (String) throws(FileProblem) -> [UInt8]
    /// Whether a file exists, so that an optional file can be absent.
    package var fileExists: @Sendable (String) -> Bool
    package var sleep: @Sendable (Duration) async throws -> Void
    /// A client of the schedulers at these addresses, with the milliseconds that a request may take (`nil`: what suits it).
    package var connect: @Sendable ([String], Int64?) throws(ClientError) -> any SchedulerCaller
    package var zones: ZoneDirectory
    /// The time zone of this machine or of TZ.
    package var localZone: @Sendable () -> TimeZoneRules

    package init(
        environment: [String: String],
        terminalWidth: Int?,
        isInteractive: Bool,
        now: @escaping @Sendable () -> Timestamp,
        write: @escaping @Sendable (String) throws(OutputProblem) -> Void,
        writeError: @escaping @Sendable (String) -> Void,
        readInput: @escaping @Sendable () throws(FileProblem) -> [UInt8],
        readPart: @escaping @Sendable () throws(FileProblem) -> [UInt8]?,
        readFile: @escaping @Sendable (String) throws(FileProblem) -> [UInt8],
        fileExists: @escaping @Sendable (String) -> Bool,
        sleep: @escaping @Sendable (Duration) async throws -> Void,
        connect: @escaping @Sendable ([String], Int64?) throws(ClientError) -> any SchedulerCaller,
        zones: ZoneDirectory = ZoneDirectory(),
        localZone: @escaping @Sendable () -> TimeZoneRules
    ) {
        self.environment = environment
        self.terminalWidth = terminalWidth
        self.isInteractive = isInteractive
        self.now = now
        self.write = write
        self.writeError = writeError
        self.readInput = readInput
        self.readPart = readPart
        self.readFile = readFile
        self.fileExists = fileExists
        self.sleep = sleep
        self.connect = connect
        self.zones = zones
        self.localZone = localZone
    }

    /// The process's own.
    package static func live() -> World {
        // Nothing is left to report a failure to.
        let writeError = { @Sendable (text: String) in
            do throws(OutputProblem) { try StandardOutput.write(text, to: STDERR_FILENO) } catch {}
        }
        let environment = EnvironmentVariables.process.variables
        let zones = ZoneDirectory()
        return World(
            environment: environment,
            terminalWidth: StandardOutput.terminalWidth(),
            isInteractive: isatty(STDIN_FILENO) == 1 && isatty(STDERR_FILENO) == 1,
            now: { SystemClock.now().wall },
            write: { text throws(OutputProblem) in try StandardOutput.write(text, to: STDOUT_FILENO) },
            writeError: writeError,
            readInput: { () throws(FileProblem) in try FileText.bytes(of: STDIN_FILENO, name: "standard input") },
            readPart: { () throws(FileProblem) in try FileText.part(of: STDIN_FILENO, name: "standard input") },
            readFile: { path throws(FileProblem) in try FileText.bytes(at: path) },
            fileExists: { access($0, F_OK) == 0 },
            sleep: { try await Task.sleep(for: $0) },
            connect: { addresses, timeoutMs throws(ClientError) in
                try RPCCaller(schedulers: addresses, timeoutMs: timeoutMs, writeError: writeError)
            },
            zones: zones,
            localZone: { LocalZone.rules(environment["TZ"], directory: zones.path) }
        )
    }

    /// Whether statuses are coloured: only on a terminal, and not when NO_COLOR says otherwise (https://no-color.org).
    var usesColor: Bool {
        terminalWidth != nil && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }
}
