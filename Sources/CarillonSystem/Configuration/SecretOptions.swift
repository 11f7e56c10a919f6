internal import Glibc

/// Options whose values every user of the machine could read in the process list.
package enum SecretOptions {
    /// Arguments without the values of secret options, and those values as environment variables.
    package struct Moved: Sendable, Hashable {
        package var arguments: [String]
        package var variables: [String: String]
    }

    /// Starts this program again in the same process, with the values of these options in the environment instead of the
    /// arguments. Returns when there is none of them, or when the second start fails.
    /// - Parameter options: environment variables by their options, such as `--database-url`.
    package static func hide(_ options: [String: String]) {
        guard let moved = moved(CommandLine.arguments, options) else { return }
        for (name, value) in moved.variables { setenv(name, value, 1) }
        var words = moved.arguments.map { strdup($0) } + [nil]
        execv(ownProgram(), &words)
        for word in words { free(word) }
    }

    /// - Returns: `nil` when no option has a value to hide. An empty or missing value is left to the parser.
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

    /// By its real name, which becomes the name of the process; by the kernel's link when the file was replaced since.
    private static func ownProgram() -> String {
        var buffer = [CChar](repeating: 0, count: 4_097)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        let path = String(decoding: buffer[..<max(0, count)].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return access(path, X_OK) == 0 ? path : "/proc/self/exe"
    }
}
