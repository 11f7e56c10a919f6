package import ArgumentParser

/// The log options of all programs.
package struct LogOptions: ParsableArguments {
    @Option(
        name: .customLong("log-level"),
        help: ArgumentHelp(
            "DEBUG, INFO, WARNING or ERROR. (LOG_LEVEL; default: INFO)",
            valueName: "level"
        )
    )
    package var logLevel: String?

    @Option(
        name: .customLong("log-format"),
        help: ArgumentHelp("text, or json for one object a line. (LOG_FORMAT; default: text)", valueName: "format")
    )
    package var logFormat: String?

    package init() {}

    /// The configuration from flags and environment variables.
    package func configuration(
        environment: EnvironmentVariables = .process
    ) throws(ConfigurationError) -> LogConfiguration {
        LogConfiguration(
            level: try Setting.choice("LOG_LEVEL", flag: logLevel, environment: environment, default: LogLevel.info),
            format: try Setting.choice("LOG_FORMAT", flag: logFormat, environment: environment, default: LogFormat.text)
        )
    }
}
