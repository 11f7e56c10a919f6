internal import ArgumentParser
internal import CarillonCore
internal import CarillonSystem
internal import Glibc

/// A command that accesses the outside only through a `World`.
protocol WorldCommand: AsyncParsableCommand {
    func run(in world: World) async throws
}

/// The program: runs the process's command line and ends the process.
package func carillonMain() async -> Never {
    // Without this, the process would be killed silently when the reader of its output closes the pipe.
    signal(SIGPIPE, SIG_IGN)
    StandardOutput.reserveDescriptors()
    let world = World.live()
    let status = await runCarillon(Array(CommandLine.arguments.dropFirst()), in: world)
    do throws(OutputProblem) {
        try StandardOutput.close()
    } catch {
        exit(report(error, status, in: world))
    }
    exit(status)
}

/// Runs one command line.
/// - Returns: the exit status of the process.
package func runCarillon(_ arguments: [String], in world: World) async -> Int32 {
    do {
        try await JobNames.$world.withValue(world) { try await perform(arguments, in: world) }
        return ExitStatus.success.rawValue
    } catch {
        return report(error, arguments, in: world)
    }
}

private func perform(_ arguments: [String], in world: World) async throws {
    var command = try await Carillon.asyncParseAsRoot(LeadingOptions.moved(arguments))
    switch command {
    case let command as any WorldCommand: try await command.run(in: world)
    case var command as any AsyncParsableCommand: try await command.run()
    default: try command.run()
    }
}

private func report(_ error: any Error, _ arguments: [String], in world: World) -> Int32 {
    switch error {
    case let error as OutputProblem:
        return report(error, ExitStatus.success.rawValue, in: world)
    case let error as ClientError:
        world.writeError(error.report)
        return ExitStatus(error.code).rawValue
    case let error as CommandFailure:
        world.writeError("error: \(error.text)\n")
        return error.status.rawValue
    case let error as FileProblem:
        world.writeError("error: \(error)\n")
        return ExitStatus.notFound.rawValue
    case let error as ValidationError:
        // A running command threw the error, so the parser does not know whose usage to print.
        world.writeError("error: \(error.message)\n")
        return ExitStatus.usage.rawValue
    default:
        let code = Carillon.exitCode(for: error).rawValue
        // The parser quotes unknown arguments, which may contain a URL with a password.
        let full = Carillon.fullMessage(for: error, columns: HelpText.unwrappedColumns)
        let message = SecretText.masking(HelpText.wrapped(full, to: world.terminalWidth ?? 80), of: arguments)
        guard !message.isEmpty else { return code }
        if code == 0 {
            do throws(OutputProblem) {
                try world.write(message + "\n")
            } catch {
                return report(error, code, in: world)
            }
        } else {
            let isError = message.hasPrefix("Error: ")
            world.writeError((isError ? "error: " + message.dropFirst(7) : message[...]) + "\n")
        }
        return code
    }
}

/// A closed pipe does not change the exit status; a failed write does.
private func report(_ problem: OutputProblem, _ status: Int32, in world: World) -> Int32 {
    guard case .failed(let reason) = problem else { return status }
    world.writeError("error: standard output cannot be written: \(reason)\n")
    return status == ExitStatus.success.rawValue ? ExitStatus.outputFailed.rawValue : status
}

/// Moves options before the command's name behind it: `carillon --output json job list` is the same as `carillon job
/// list --output json`.
enum LeadingOptions {
    private static let withValue: Set<String> = ["--schedulers", "--context", "--output", "-o", "--request-timeout"]
    private static let groups: Set<String> = ["job", "jobs", "execution", "executions", "cron"]

    private static func withoutScheduler(_ leading: [String]) -> [String] {
        var kept: [String] = []
        var rest = leading[...]
        while let first = rest.popFirst() {
            let names = ["--schedulers", "--context", "--request-timeout"]
            let isScheduler = names.contains { first == $0 || first.hasPrefix($0 + "=") }
            let value = withValue.contains(first) ? rest.popFirst() : nil
            if !isScheduler { kept += [first] + (value.map { [$0] } ?? []) }
        }
        return kept
    }

    static func moved(_ arguments: [String]) -> [String] {
        var rest = arguments[...]
        var leading: [String] = []
        while let first = rest.first {
            if withValue.contains(first), rest.count > 1 {
                leading += rest.prefix(2)
                rest = rest.dropFirst(2)
            } else if withValue.contains(where: { first.hasPrefix($0 + "=") }) {
                leading.append(first)
                rest = rest.dropFirst()
            } else {
                break
            }
        }
        guard !leading.isEmpty, let command = rest.first, !command.hasPrefix("-") else { return arguments }
        // `carillon cron` needs no scheduler. Scheduler options are dropped, since an alias may add them to every
        // command.
        if command == "cron" { leading = withoutScheduler(leading) }
        let words = groups.contains(command) && rest.count > 1 ? 2 : 1
        return rest.prefix(words) + leading + rest.dropFirst(words)
    }
}
