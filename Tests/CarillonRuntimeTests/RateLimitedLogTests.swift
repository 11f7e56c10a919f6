import CarillonCore
import CarillonRuntime
import Logging
import Synchronization
import Testing

@Suite struct RateLimitedLogTests {
    /// Records the log lines.
    private struct Recorder: LogHandler {
        final class Lines: Sendable {
            private let lines = Mutex<[String]>([])

            var all: [String] { lines.withLock { $0 } }

            func append(_ line: String) { lines.withLock { $0.append(line) } }
        }

        let lines: Lines
        var metadata: Logger.Metadata = [:]
        var logLevel = Logger.Level.trace

        init(_ lines: Lines) {
            self.lines = lines
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let omitted = event.metadata?["omitted_since"].map { " omitted_since=\($0)" } ?? ""
            lines.append("\(event.level) \(event.message)\(omitted)")
        }
    }

    @Test func aLineIsWrittenOnceAMinuteForEachKeyAndLevel() {
        let lines = Recorder.Lines()
        let log = RateLimitedLog(Logger(label: "test") { _ in Recorder(lines) })
        func write(_ seconds: Int64, _ key: String = "a", _ level: Logger.Level = .warning) {
            log.log(level, key: key, "late", at: BootTime(nanoseconds: seconds * 1_000_000_000))
        }
        write(0)
        write(1)
        write(59)
        #expect(lines.all == ["warning late"])
        write(1, "b")
        write(1, "a", .error)
        #expect(lines.all.count == 3)
        write(60)
        #expect(lines.all.last == "warning late omitted_since=2")
        write(119)
        #expect(lines.all.count == 4)
        for number in 0..<5_000 { write(200, "key \(number)") }
        #expect(lines.all.count <= 4 + 1_024 + 1)
    }
}
