internal import CLinux
internal import Glibc
internal import Synchronization

/// A program started by a test. Its output goes to a file, it inherits no other descriptors, and it is killed with its
/// test.
///
/// Foundation's `Process` is not used: it waits until all processes that inherited one of its descriptors have ended,
/// including a server that a program leaves running.
package final class ChildProgram: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package var description: String
    }

    /// The way in which the program ended.
    package enum End: Sendable, Hashable {
        case exited(Int32)
        case signalled(Int32)
    }

    package let pid: Int32
    /// The file with its standard output and standard error.
    package let output: String
    private let ended = Mutex<End?>(nil)

    /// - Parameters:
    ///   - path: the program's path.
    ///   - environment: the whole environment; `nil` for that of this process.
    ///   - output: a file to append to.
    ///   - input: a descriptor; `nil` for no input.
    ///   - ownGroup: whether the program leads a new process group, so that signals can reach its children too.
    package init(
        _ path: String,
        _ arguments: [String],
        environment: [String: String]? = nil,
        output: String,
        input: Int32? = nil,
        folder: String? = nil,
        ownGroup: Bool = false
    ) throws {
        self.output = output
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o644)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        posix_spawn_file_actions_addclosefrom_np(&actions, 3)
        if let folder { posix_spawn_file_actions_addchdir_np(&actions, folder) }

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The threads of Swift's pool block all signals, and children inherit the mask.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var flags = Int16(POSIX_SPAWN_SETSIGMASK)
        if ownGroup { flags |= Int16(POSIX_SPAWN_SETPGROUP) }
        posix_spawnattr_setflags(&attributes, flags)

        var words = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var variables: [UnsafeMutablePointer<CChar>?] = []
        defer { for variable in variables { free(variable) } }
        var started: pid_t = 0
        let code: Int32
        if let environment {
            variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
            code = posix_spawn(&started, path, &actions, &attributes, &words, &variables)
        } else {
            code = posix_spawn(&started, path, &actions, &attributes, &words, environ)
        }
        guard code == 0 else {
            throw Failure(description: "\(path) cannot be started: \(String(cString: strerror(code)))")
        }
        pid = started
    }

    deinit {
        if end(waiting: false) == nil {
            kill(pid, SIGKILL)
            _ = end(waiting: true)
        }
    }

    package func signal(_ number: Int32) {
        if end(waiting: false) == nil { kill(pid, number) }
    }

    /// Kills the program with SIGKILL and returns when it has ended.
    package func killNow() {
        signal(SIGKILL)
        _ = end(waiting: true)
    }

    package var isRunning: Bool { end(waiting: false) == nil }

    /// Blocks until the program has ended.
    @discardableResult
    package func wait() -> End { end(waiting: true) ?? .exited(-1) }

    /// The output so far.
    package var text: String { TextFile.contents(of: output) }

    private func end(waiting: Bool) -> End? {
        ended.withLock { ended in
            if let ended { return ended }
            var status: Int32 = 0
            var result: pid_t
            repeat { result = waitpid(pid, &status, waiting ? 0 : WNOHANG) } while result < 0 && errno == EINTR
            guard result != 0 else { return nil }
            ended =
                result < 0 ? .exited(-1) : status & 0x7f == 0 ? .exited(status >> 8 & 0xff) : .signalled(status & 0x7f)
            return ended
        }
    }

    /// Runs a program to its end and returns its output.
    /// - Throws: a `Failure` with the output if the program fails.
    @discardableResult
    package static func run(_ path: String, _ arguments: [String], folder: String = "/") throws -> String {
        var template = Array("/tmp/carillon-output-XXXXXX".utf8CString)
        let descriptor = mkstemp(&template)
        guard descriptor >= 0 else { throw Failure(description: "cannot create a file in /tmp") }
        close(descriptor)
        let file = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(file) }
        let end = try ChildProgram(path, arguments, output: file, folder: folder).wait()
        var text = TextFile.contents(of: file)
        guard end == .exited(0) else {
            throw Failure(description: "\(path) \(arguments.joined(separator: " ")) failed (\(end)): \(text)")
        }
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}

/// Reads whole files as text.
package enum TextFile {
    /// Empty if the file does not exist.
    package static func contents(of path: String) -> String {
        guard let file = fopen(path, "r") else { return "" }
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
