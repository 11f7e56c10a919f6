package import Logging

/// The log settings of a process.
package struct LogConfiguration: Sendable, Equatable {
    package var level: LogLevel
    package var format: LogFormat

    package init(level: LogLevel = .info, format: LogFormat = .text) {
        self.level = level
        self.format = format
    }

    /// Configures all loggers of this process, which write to standard error. Must be called once, before the first logger is
    /// created.
    /// - Parameter component: the program, such as `carillon-worker`.
    /// - Returns: a logger for the process itself.
    package func bootstrap(component: String) -> Logger {
        let configuration = self
        LoggingSystem.bootstrap { _ in
            LineLogHandler(component: component, format: configuration.format, level: configuration.level)
        }
        return Logger(label: component)
    }
}
