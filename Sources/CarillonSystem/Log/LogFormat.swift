package import Logging

/// The format of a log line.
package enum LogFormat: String, Sendable, CaseIterable {
    /// `2026-11-23T20:00:00.123Z INFO  carillon-worker message key=value`
    case text
    /// One JSON object per line: time, level, component, message, and the metadata with its own keys.
    case json
}

/// The four supported log levels.
package enum LogLevel: String, Sendable, CaseIterable {
    case debug = "DEBUG"
    case info = "INFO"
    case warning = "WARNING"
    case error = "ERROR"

    /// Maps other levels to the nearest of the four.
    init(_ level: Logger.Level) {
        switch level {
        case .trace, .debug: self = .debug
        case .info, .notice: self = .info
        case .warning: self = .warning
        case .error, .critical: self = .error
        }
    }

    package var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
