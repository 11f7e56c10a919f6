internal import CarillonRuntime
internal import Glibc
package import Logging
internal import Synchronization

/// Writes each message as one line, with one write, to one descriptor.
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var metadataProvider: Logger.MetadataProvider?
    package var logLevel: Logger.Level

    private let component: String
    private let format: LogFormat
    private let output: @Sendable ([UInt8]) -> Void
    private let wallMicroseconds: @Sendable () -> Int64

    /// - Parameters:
    ///   - component: the program's name in every line, such as `carillon-worker`.
    ///   - output: receives each line with its line feed; standard error by default.
    package init(
        component: String,
        format: LogFormat,
        level: LogLevel,
        output: @escaping @Sendable ([UInt8]) -> Void = { StandardError.write($0) },
        wallMicroseconds: @escaping @Sendable () -> Int64 = SystemClock.wallMicroseconds
    ) {
        self.component = component
        self.format = format
        self.logLevel = level.loggerLevel
        self.output = output
        self.wallMicroseconds = wallMicroseconds
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { _, new in new } }
        if let given = event.metadata { all.merge(given) { _, new in new } }
        if let error = event.error, all["error"] == nil { all["error"] = "\(error)" }
        let ordered = all.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }
        let level = LogLevel(event.level)
        let message = event.message.description
        switch format {
        case .text:
            output(
                LogLine.text(
                    microseconds: wallMicroseconds(),
                    level: level,
                    component: component,
                    message: message,
                    metadata: ordered
                )
            )
        case .json:
            output(
                LogLine.json(
                    microseconds: wallMicroseconds(),
                    level: level,
                    component: component,
                    message: message,
                    metadata: ordered
                )
            )
        }
    }
}

/// Standard error, shared by all threads.
package enum StandardError {
    private static let turn = Mutex(())

    /// Writes a text.
    package static func write(_ text: String) { write(Array(text.utf8)) }

    /// Writes all bytes; lines of several threads do not mix. Bytes that cannot be written are dropped, because a blocked log must not
    /// stop the process.
    package static func write(_ bytes: [UInt8]) {
        turn.withLock { _ in
            var written = 0
            while written < bytes.count {
                let count = bytes.withUnsafeBytes { buffer in
                    Glibc.write(STDERR_FILENO, buffer.baseAddress.map { $0 + written }, buffer.count - written)
                }
                if count > 0 {
                    written += count
                } else if count < 0, errno == EINTR {
                    continue
                } else {
                    return
                }
            }
        }
    }
}
