package import ArgumentParser
internal import Glibc

extension AsyncParsableCommand {
    /// Like `main()`, but error messages show no secrets of the command line.
    package static func mainHidingSecrets() async {
        do {
            var command = try parseAsRoot()
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch {
            let code = exitCode(for: error)
            let message = SecretText.masking(fullMessage(for: error), of: CommandLine.arguments)
            if code == .success {
                print(message)
            } else if !message.isEmpty {
                StandardError.write(message + "\n")
            }
            Glibc.exit(code.rawValue)
        }
    }
}
