/// Reads one setting: the flag, otherwise the environment variable of the same name, otherwise the default.
///
/// `DATABASE_URL` and `--database-url` are one setting. For an invalid value, the error names the setting, the value and the allowed
/// values; the program prints it and does not start.
package enum Setting {
    /// A value and the name of its source for errors.
    struct Given {
        var name: String
        var text: String

        func error(_ allowed: String) -> ConfigurationError {
            ConfigurationError("\(name) is \(Self.shown(text)); allowed is \(allowed)")
        }

        /// Numbers and words unchanged, other texts in quotes, on one line and with limited length. A text that may contain a password,
        /// such as a URL for another option, is masked.
        private static func shown(_ text: String) -> String {
            if SecretText.isSensitive(text) { return SecretText.shown(text) }
            let isPlain = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "\"") }
            if isPlain, !text.isEmpty, text.utf8.count <= 80 { return text }
            var shown = "\""
            for scalar in text.unicodeScalars.prefix(80) {
                switch scalar {
                case "\"", "\\": shown += "\\\(scalar)"
                case "\n": shown += "\\n"
                case _ where scalar.properties.generalCategory == .control:
                    shown += "\\u{\(String(scalar.value, radix: 16))}"
                default: shown.unicodeScalars.append(scalar)
                }
            }
            return shown + (text.unicodeScalars.count > 80 ? "…\"" : "\"")
        }
    }

    /// The flag of a variable: `--max-workers` for `MAX_WORKERS`.
    package static func flagName(_ name: String) -> String {
        "--" + name.lowercased().map { $0 == "_" ? "-" : String($0) }.joined()
    }

    static func given(_ name: String, _ flag: String?, _ environment: EnvironmentVariables) -> Given? {
        if let flag { return Given(name: "\(name) (\(flagName(name)))", text: flag) }
        return environment[name].map { Given(name: name, text: $0) }
    }

    // MARK: Types of values

    /// A whole number.
    package static func integer(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: Int,
        in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        guard let given = given(name, flag, environment) else { return `default` }
        guard given.text.utf8.count <= 20, let number = Int(given.text), range.contains(number) else {
            throw given.error("a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// A duration in milliseconds: `30` and `30s`, `500ms`, `1.5s`, `1m`, `1h`, `7d`.
    package static func durationMs(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: Int,
        in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        guard let given = given(name, flag, environment) else { return `default` }
        guard let milliseconds = DurationSetting.milliseconds(given.text).flatMap({ Int(exactly: $0) }),
            range.contains(milliseconds)
        else {
            let from = DurationSetting.text(range.lowerBound)
            let to = DurationSetting.text(range.upperBound)
            throw given.error("a duration from \(from) to \(to), such as 30 (seconds), 30s, 500ms or 1m")
        }
        return milliseconds
    }

    /// A number of bytes: `4096`, `4KiB`, `1MiB`.
    package static func bytes(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: Int,
        in range: ClosedRange<Int>
    ) throws(ConfigurationError) -> Int {
        guard let given = given(name, flag, environment) else { return `default` }
        guard let count = ByteSetting.bytes(given.text), range.contains(count) else {
            let from = ByteSetting.text(range.lowerBound)
            let to = ByteSetting.text(range.upperBound)
            throw given.error("a number of bytes from \(from) to \(to), such as 4096, 4KiB or 1MiB")
        }
        return count
    }

    /// One of several words, case-insensitive.
    package static func choice<Choice: RawRepresentable & CaseIterable>(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: Choice
    ) throws(ConfigurationError) -> Choice where Choice.RawValue == String {
        guard let given = given(name, flag, environment) else { return `default` }
        let wanted = given.text.lowercased()
        for choice in Choice.allCases where choice.rawValue.lowercased() == wanted { return choice }
        throw given.error(Choice.allCases.map(\.rawValue).joined(separator: ", "))
    }

    /// `true` or `false` (also yes, no, on, off, 1, 0).
    package static func boolean(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: Bool
    ) throws(ConfigurationError) -> Bool {
        guard let given = given(name, flag, environment) else { return `default` }
        switch given.text.lowercased() {
        case "true", "yes", "on", "1": return true
        case "false", "no", "off", "0": return false
        default: throw given.error("true or false")
        }
    }

    /// A text that is not empty and has no NUL; `nil` when it is not set.
    package static func text(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process
    ) throws(ConfigurationError) -> String? {
        guard let given = given(name, flag, environment) else { return nil }
        guard !given.text.isEmpty, !given.text.utf8.contains(0) else {
            throw ConfigurationError("\(given.name) is empty; omit it to use the default")
        }
        return given.text
    }

    package static func text(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: String
    ) throws(ConfigurationError) -> String {
        try text(name, flag: flag, environment: environment) ?? `default`
    }

    /// A required text. `hint` shows its form.
    package static func required(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        hint: String
    ) throws(ConfigurationError) -> String {
        guard let value = try text(name, flag: flag, environment: environment) else {
            throw ConfigurationError("\(name) is not set; give \(flagName(name)) or \(name), such as \(hint)")
        }
        return value
    }
}
