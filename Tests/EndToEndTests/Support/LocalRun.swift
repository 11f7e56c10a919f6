import Glibc
import Synchronization
import TestSupport

/// `carillon up` in its own folder, with its output and its processes.
final class LocalRun: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// A process as shown to every user of the machine, or to its own user.
    struct Process: Sendable {
        var name: String
        var arguments: String
        var environment: [String]
    }

    let bin: String
    let folder: String
    var data: String { folder + "/data" }
    private var log: String { folder + "/up.log" }
    private let running = Mutex<ChildProgram?>(nil)

    init() throws {
        bin = try TestSystem.programs()
        var template = Array("/tmp/carillon-up-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw Failure(description: "cannot create a directory in /tmp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // PostgreSQL's user must be able to traverse the folder.
        chmod(folder, 0o755)
    }

    deinit { _ = try? ChildProgram.run("/bin/rm", ["-rf", folder]) }

    /// The output since the last start.
    var text: String { TextFile.contents(of: log) }

    var pid: Int32 { running.withLock { $0?.pid ?? 0 } }

    /// Starts `carillon up` and returns when all programs answer.
    func start(_ arguments: [String] = [], environment: [String: String] = [:]) async throws {
        unlink(log)
        let addresses = ["--gateway", "127.0.0.1:0", "--rpc", "127.0.0.1:0"]
        let program = try ChildProgram(
            bin + "/carillon",
            ["up", "--data-dir", data] + addresses + arguments,
            environment: Self.environment.merging(environment) { $1 },
            output: log
        )
        running.withLock { $0 = program }
        while !text.contains("\nready http") {
            guard program.isRunning else { throw Failure(description: "carillon up ended: \(text)") }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    /// Stops all programs in order.
    func stop() async throws {
        guard let program = running.withLock({ $0 }) else { return }
        program.signal(SIGTERM)
        while program.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// Runs a command for at most 20 s.
    /// - Returns: its output, with the exit status in the last line.
    func run(_ words: [String], environment: [String: String] = [:]) throws -> String {
        let output = "\(folder)/command.log"
        unlink(output)
        let script = "timeout 20 \"$@\"; echo status $?"
        let program = try ChildProgram(
            "/bin/sh",
            ["-c", script, "sh"] + words,
            environment: Self.environment.merging(environment) { $1 },
            output: output,
            folder: folder
        )
        program.wait()
        return program.text
    }

    /// The result of a query, with columns separated by `|`.
    @discardableResult
    func psql(_ url: String, _ sql: String) throws -> String {
        try ChildProgram.run("/usr/bin/env", ["psql", "-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", sql, url])
    }

    /// The processes of the system, including `carillon up`.
    var processes: [Process] { ([pid] + Self.descendants(of: pid)).map(Self.process) }

    private static func descendants(of pid: Int32) -> [Int32] {
        var children: [Int32] = []
        guard let tasks = opendir("/proc/\(pid)/task") else { return [] }
        defer { closedir(tasks) }
        while let entry = readdir(tasks) {
            let task = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            let text = TextFile.contents(of: "/proc/\(pid)/task/\(task)/children")
            children += text.split(separator: " ").compactMap { Int32($0) }
        }
        return children.flatMap { [$0] + descendants(of: $0) }
    }

    static func process(_ pid: Int32) -> Process {
        func words(_ file: String) -> [String] {
            TextFile.contents(of: "/proc/\(pid)/\(file)").split(separator: "\0").map(String.init)
        }
        return Process(
            name: words("comm").first.map { String($0.prefix { $0 != "\n" }) } ?? "",
            arguments: words("cmdline").joined(separator: " "),
            environment: words("environ")
        )
    }

    private static var environment: [String: String] {
        var environment: [String: String] = [:]
        for name in ["PATH", "HOME", "TZDIR", "LD_LIBRARY_PATH"] {
            if let value = getenv(name) { environment[name] = String(cString: value) }
        }
        return environment
    }
}
