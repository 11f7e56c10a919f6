package import Logging

/// How a process logs.
package struct LogConfiguration: Sendable, Equatable {
    package var level: LogLevel
    package var format: LogFormat

    package init(level: LogLevel = .info, format: LogFormat = .text) {
        self.level = level
        self.format = format
    }

    /// Makes all loggers of this process write this way, to standard error. To be called once, before the first logger
    /// is made.
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
