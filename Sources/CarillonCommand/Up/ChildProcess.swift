internal import Glibc

/// A program to start, with its settings.
struct Launch: Sendable, Hashable {
    var program: String
    var arguments: [String]
    var environment: [String: String]
    /// The user to run as; `nil` for the current user.
    var account: Account?
    /// The working folder; `nil` for the current folder.
    var directory: String?
    /// The signal that the child gets when this process ends, even if it is killed.
    var deathSignal: Int32 = SIGKILL
}

/// Starts programs and reports their end.
enum ChildProcess {
    /// - Parameters:
    ///   - runner: the path of `carillon`, whose `internal-run` ties the child to this process and changes the user.
    ///   - output: the descriptor of its standard output and standard error.
    ///   - input: the descriptor of its standard input; `nil` for none.
    static func start(
        _ launch: Launch,
        runner: String,
        output: Int32,
        input: Int32? = nil
    ) throws(FileProblem) -> pid_t {
        var words = [
            runner, "internal-run", "--parent", String(getpid()), "--death-signal", String(launch.deathSignal),
        ]
        if let account = launch.account {
            words += ["--user", account.name, "--user-id", String(account.user), "--group-id", String(account.group)]
        }
        if let directory = launch.directory { words += ["--directory", directory] }
        words += ["--", launch.program] + launch.arguments

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        } else {
            posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, STDOUT_FILENO, STDERR_FILENO)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var all = sigset_t()
        sigfillset(&all)
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setsigmask(&attributes, &none)
        // A separate process group: Ctrl-C in the terminal reaches only `carillon up`, which stops the children in
        // order.
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP)
        )

        var pid: pid_t = 0
        let environment = launch.environment.map { "\($0.key)=\($0.value)" }.sorted()
        let code = withCStrings(words) { words in
            withCStrings(environment) { environment in
                posix_spawn(&pid, runner, &actions, &attributes, words, environment)
            }
        }
        guard code == 0 else { throw FileProblem(errno: code, "\(runner) cannot be started") }
        return pid
    }

    /// The end of a process as a clause; `nil` while it runs.
    static func end(of pid: pid_t) -> String? {
        var status: Int32 = 0
        var result: pid_t
        repeat { result = waitpid(pid, &status, WNOHANG) } while result < 0 && errno == EINTR
        if result == 0 { return nil }
        return result == pid ? clause(status) : "is gone"
    }

    /// The clause for a wait status.
    static func clause(_ status: Int32) -> String {
        let signal = status & 0x7F
        return signal == 0 ? "exited with status \(status >> 8 & 0xFF)" : "was killed by signal \(signal)"
    }

    /// Runs a program to its end.
    /// - Returns: its exit status (128 + signal if it was killed), and its output.
    static func run(
        _ launch: Launch,
        runner: String,
        input: String = ""
    ) throws(FileProblem) -> (status: Int32, output: String) {
        var out: [Int32] = [-1, -1]
        var into: [Int32] = [-1, -1]
        guard pipe(&out) == 0, pipe(&into) == 0 else { throw FileProblem(errno: errno, "cannot create a pipe") }
        for end in out + into { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        // The pipe (64 KiB) holds all of the input before the program reads it.
        let bytes = Array(input.utf8)
        guard bytes.count <= 32_768 else { throw FileProblem("the input of \(launch.program) is too long for a pipe") }
        _ = write(into[1], bytes, bytes.count)
        close(into[1])
        defer {
            close(out[0])
            close(into[0])
        }
        let pid: pid_t
        do throws(FileProblem) {
            pid = try start(launch, runner: runner, output: out[1], input: into[0])
        } catch {
            close(out[1])
            throw error
        }
        close(out[1])
        let written = try FileText.bytes(of: out[0], name: launch.program)
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7F
        return (signal == 0 ? status >> 8 & 0xFF : 128 + signal, String(decoding: written, as: UTF8.self))
    }

    private static func withCStrings<Result>(
        _ texts: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> Result
    ) -> Result {
        let pointers = texts.map { strdup($0) }
        defer { for pointer in pointers { free(pointer) } }
        return body(pointers + [nil])
    }
}
