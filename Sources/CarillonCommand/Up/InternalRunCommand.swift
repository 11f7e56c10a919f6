internal import ArgumentParser
internal import CLinux
internal import Glibc

/// The last step of starting a child: changes the user and the folder, ties the child's lifetime to its parent, and
/// executes the program. A process with threads cannot do this between fork and exec.
struct InternalRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "internal-run",
        abstract: "Run a program that ends with its parent.",
        shouldDisplay: false
    )

    @Option(name: .customLong("parent"))
    var parent: Int32

    @Option(name: .customLong("death-signal"))
    var deathSignal: Int32

    @Option(name: .customLong("user"))
    var user: String?

    @Option(name: .customLong("user-id"))
    var userID: UInt32?

    @Option(name: .customLong("group-id"))
    var groupID: UInt32?

    @Option(name: .customLong("directory"))
    var directory: String?

    @Argument(parsing: .postTerminator)
    var words: [String]

    func run() throws {
        if let user, let userID, let groupID {
            guard initgroups(user, groupID) == 0, setgid(groupID) == 0, setuid(userID) == 0 else {
                throw problem("cannot become the user \(user)")
            }
        }
        if let directory, chdir(directory) != 0 { throw problem("cannot enter \(directory)") }
        // Must follow the change of the user, which clears the setting.
        _ = carillon_set_parent_death_signal(deathSignal)
        guard getppid() == parent else { throw ExitCode(ExitStatus.failure.rawValue) }
        guard let program = words.first else { throw ValidationError("a program is missing") }
        var pointers = words.map { strdup($0) }
        pointers.append(nil)
        execv(program, pointers)
        throw problem("cannot start \(program)")
    }

    private func problem(_ what: String) -> CommandFailure {
        CommandFailure(status: .internal, text: "\(what): \(String(cString: strerror(errno)))")
    }
}
