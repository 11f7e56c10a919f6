package import CarillonCore
package import CarillonCron
internal import CarillonRuntime
package import CarillonSystem
internal import Glibc

/// The operations and settings of the process that commands use. Tests supply their own.
package struct World: Sendable {
    package var environment: [String: String]
    /// The columns of the terminal on standard output; `nil` if it is not a terminal.
    package var terminalWidth: Int?
    /// Whether the user can be asked: standard input and standard error are a terminal.
    package var isInteractive: Bool
    package var now: @Sendable () -> Timestamp
    /// Writes text to standard output without changes.
    package var write: @Sendable (String) throws(OutputProblem) -> Void
    /// Writes text to standard error.
    package var writeError: @Sendable (String) -> Void
    /// Reads all of standard input.
    package var readInput: @Sendable () throws(FileProblem) -> [UInt8]
    /// Reads the next bytes of standard input, at least one; `nil` at its end.
    package var readPart: @Sendable () throws(FileProblem) -> [UInt8]?
    package var readFile: @Sendable (String) throws(FileProblem) -> [UInt8]
    /// Whether a file exists, so that an optional file can be absent.
    package var fileExists: @Sendable (String) -> Bool
    package var sleep: @Sendable (Duration) async throws -> Void
    /// Creates a client of the schedulers at these addresses, with a timeout in milliseconds (`nil` for the default of
    /// a request).
    package var connect: @Sendable ([String], Int64?) throws(ClientError) -> any SchedulerCaller
    package var zones: ZoneDirectory
    /// The time zone of TZ or of this machine.
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

    /// The values of this process.
    package static func live() -> World {
        // An error on standard error cannot be reported anywhere.
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

    /// Whether statuses are coloured: only on a terminal, and only if NO_COLOR is not set (https://no-color.org).
    var usesColor: Bool {
        terminalWidth != nil && environment["NO_COLOR", default: ""].isEmpty && environment["TERM"] != "dumb"
    }
}
