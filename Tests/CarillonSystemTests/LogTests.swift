import CarillonCore
import Logging
import Synchronization
import Testing

@testable import CarillonSystem

struct LogTests {
    private final class Lines: Sendable {
        private let held = Mutex<[String]>([])

        var all: [String] { held.withLock { $0 } }

        func append(_ bytes: [UInt8]) {
            held.withLock { $0.append(String(decoding: bytes, as: UTF8.self)) }
        }
    }

    private func logger(_ format: LogFormat, level: LogLevel = .debug, to lines: Lines) -> Logger {
        Logger(label: "test") { _ in
            LineLogHandler(
                component: "carillon-worker",
                format: format,
                level: level,
                output: { lines.append($0) },
                wallMicroseconds: { 1_795_464_000_123_456 }
            )
        }
    }

    @Test func textLines() {
        let lines = Lines()
        var logger = logger(.text, to: lines)
        logger.info("connected", metadata: ["scheduler": "127.0.0.1:7070", "attempt": "2"])
        logger.notice("x")
        logger.warning("drift is high", metadata: ["drift_ms": "\(1200)"])
        logger.critical("y")
        logger.trace("not written")
        logger[metadataKey: "boot"] = "a b"
        logger.debug("z", metadata: ["list": ["1", "2"], "map": ["k": "v"], "empty": ""])
        #expect(
            lines.all == [
                "2026-11-23T20:00:00.123Z INFO  carillon-worker connected attempt=2 scheduler=127.0.0.1:7070\n",
                "2026-11-23T20:00:00.123Z INFO  carillon-worker x\n",
                "2026-11-23T20:00:00.123Z WARNING carillon-worker drift is high drift_ms=1200\n",
                "2026-11-23T20:00:00.123Z ERROR carillon-worker y\n",
                "2026-11-23T20:00:00.123Z DEBUG carillon-worker z boot=\"a b\" empty=\"\" list=[\"1\",\"2\"] "
                    + "map={\"k\":\"v\"}\n",
            ]
        )
    }

    @Test func jsonLines() {
        let lines = Lines()
        let logger = logger(.json, to: lines)
        logger.error(
            "call failed",
            metadata: [
                "count": .stringConvertible(3), "ok": .stringConvertible(false), "text": "a\"b", "level": "x",
                "ratio": .stringConvertible(0.5),
            ]
        )
        #expect(
            lines.all == [
                #"{"time":"2026-11-23T20:00:00.123Z","level":"ERROR","component":"carillon-worker","#
                    + #""message":"call failed","count":3,"level_":"x","ok":false,"ratio":0.5,"text":"a\"b"}"# + "\n"
            ]
        )
    }

    /// No value can create a second line, a second key or an escape sequence.
    @Test(arguments: LogFormat.allCases)
    func valuesCannotForgeLines(format: LogFormat) {
        let lines = Lines()
        let evil = "x\n2026-11-23T20:00:00.123Z ERROR forged\r\u{1b}[31m level=ERROR \"\\ \u{85}\u{2028}\u{202e}\0"
        logger(format, to: lines).info("m\n\(evil)", metadata: ["value": "\(evil)", "bad key\n": "1"])
        #expect(lines.all.count == 1)
        let line = lines.all[0]
        #expect(line.unicodeScalars.filter { $0.properties.generalCategory == .control } == ["\n"])
        #expect(line.hasSuffix("\n"))
        #expect(!line.contains("\u{2028}") && !line.contains("\u{202e}"))
    }

    @Test func longValuesAreCut() {
        let lines = Lines()
        logger(.text, to: lines).info("m", metadata: ["body": "\(String(repeating: "é", count: 1_000_000))"])
        #expect(lines.all[0].utf8.count < LogLine.valueLimit + 200)
        #expect(lines.all[0].hasSuffix("…\"\n"))
    }

    @Test func levelHoldsBack() {
        let lines = Lines()
        let logger = logger(.text, level: .warning, to: lines)
        logger.info("no")
        logger.warning("yes")
        #expect(lines.all.count == 1)
    }

    @Test func timesOfAllAges() {
        for (microseconds, text) in [
            (0, "1970-01-01T00:00:00.000Z"), (-1_000, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000_000, "2000-02-29T00:00:00.000Z"),
        ] as [(Int64, String)] {
            let line = LogLine.text(
                microseconds: microseconds,
                level: .info,
                component: "c",
                message: "m",
                metadata: []
            )
            #expect(String(decoding: line, as: UTF8.self) == "\(text) INFO  c m\n")
        }
    }
}
