internal import Glibc

/// Options with secret values, which the process list would show to every user of the machine.
package enum SecretOptions {
    /// The arguments without secret options, and the secret values as environment variables.
    package struct Moved: Sendable, Hashable {
        package var arguments: [String]
        package var variables: [String: String]
    }

    /// Executes this program again in the same process, with the values of these options in the environment instead of the arguments.
    /// Returns when none of the options is used, or when the second start fails.
    /// - Parameter options: the environment variable for each option, such as `--database-url`.
    package static func hide(_ options: [String: String]) {
        guard let moved = moved(CommandLine.arguments, options) else { return }
        for (name, value) in moved.variables { setenv(name, value, 1) }
        var words = moved.arguments.map { strdup($0) } + [nil]
        execv(ownProgram(), &words)
        for word in words { free(word) }
    }

    /// - Returns: `nil` when no option has a value to hide. The parser handles empty and missing values.
    package static func moved(_ arguments: [String], _ options: [String: String]) -> Moved? {
        var moved = Moved(arguments: [], variables: [:])
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--" {
                moved.arguments += [argument] + rest
                break
            }
            if let variable = options[argument], let value = rest.first, !value.isEmpty, !value.hasPrefix("-") {
                moved.variables[variable] = value
                rest = rest.dropFirst()
            } else if let (variable, value) = assignment(argument, options) {
                moved.variables[variable] = value
            } else {
                moved.arguments.append(argument)
            }
        }
        return moved.variables.isEmpty ? nil : moved
    }

    /// `--option=value`.
    private static func assignment(_ argument: String, _ options: [String: String]) -> (String, String)? {
        guard let equals = argument.firstIndex(of: "="), let variable = options[String(argument[..<equals])] else {
            return nil
        }
        let value = String(argument[argument.index(after: equals)...])
        return value.isEmpty ? nil : (variable, value)
    }

    /// The program's path, which also becomes the name of the process; the kernel's link if the file was replaced meanwhile.
    private static func ownProgram() -> String {
        var buffer = [CChar](repeating: 0, count: 4_097)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return access(path, X_OK) == 0 ? path : "/proc/self/exe"
    }
}
