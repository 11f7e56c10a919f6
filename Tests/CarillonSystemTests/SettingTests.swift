import ArgumentParser
import CarillonRuntime
import Testing

@testable import CarillonSystem

struct SettingTests {
    private let empty = EnvironmentVariables([:])

    private func message(_ read: () throws -> some Any) -> String {
        do {
            _ = try read()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    @Test func flagBeforeEnvironmentBeforeDefault() throws {
        let environment = EnvironmentVariables(["MAX_WORKERS": "20", "EMPTY": ""])
        func workers(_ flag: String?, _ environment: EnvironmentVariables) throws -> Int {
            try Setting.integer("MAX_WORKERS", flag: flag, environment: environment, default: 256, in: 1...10_000)
        }
        #expect(try workers("10", environment) == 10)
        #expect(try workers(nil, environment) == 20)
        #expect(try workers(nil, empty) == 256)
        #expect(try Setting.integer("EMPTY", flag: nil, environment: environment, default: 3, in: 1...5) == 3)
    }

    @Test(
        arguments: [
            ("0", "MAX_WORKERS is 0; allowed is a whole number from 1 to 10000"),
            ("10001", "MAX_WORKERS is 10001; allowed is a whole number from 1 to 10000"),
            ("many", "MAX_WORKERS is many; allowed is a whole number from 1 to 10000"),
            ("1.5", "MAX_WORKERS is 1.5; allowed is a whole number from 1 to 10000"),
            ("99999999999999999999", "MAX_WORKERS is 99999999999999999999; allowed is a whole number from 1 to 10000"),
            ("two words", "MAX_WORKERS is \"two words\"; allowed is a whole number from 1 to 10000"),
            ("1\n2\"", "MAX_WORKERS is \"1\\n2\\\"\"; allowed is a whole number from 1 to 10000"),
        ]
    )
    func integerErrorsSayWhatIsAllowed(value: String, expected: String) {
        let environment = EnvironmentVariables(["MAX_WORKERS": value])
        let text = message {
            try Setting.integer("MAX_WORKERS", flag: nil, environment: environment, default: 1, in: 1...10_000)
        }
        #expect(text == expected)
    }

    @Test func errorsNameTheFlagToo() {
        let text = message {
            try Setting.integer("MAX_WORKERS", flag: "0", environment: empty, default: 1, in: 1...10)
        }
        #expect(text == "MAX_WORKERS (--max-workers) is 0; allowed is a whole number from 1 to 10")
    }

    @Test(
        arguments: [
            ("30", 30_000), ("30s", 30_000), ("500ms", 500), ("1m", 60_000), ("1.5s", 1_500), ("0.25", 250),
            ("2h", 7_200_000), ("1d", 86_400_000), ("0", nil), ("-1", nil), ("", nil), ("s", nil), ("1 s", nil),
            ("1.0001s", nil), ("0.5ms", nil), ("1e3", nil), ("10x", nil), ("1.2.3", nil), (".5s", nil), ("1.", nil),
            ("٣", nil), ("9999999999999999d", nil),
        ] as [(String, Int?)]
    )
    func durations(text: String, expected: Int?) {
        let value = try? Setting.durationMs("T", flag: text, environment: empty, default: 1, in: 1...100_000_000)
        #expect(value == expected)
    }

    @Test func durationErrorsSayWhatIsAllowed() {
        let text = message {
            try Setting.durationMs(
                "LEASE",
                flag: nil,
                environment: EnvironmentVariables(["LEASE": "10ms"]),
                default: 5_000,
                in: 1_500...120_000
            )
        }
        #expect(
            text == "LEASE is 10ms; allowed is a duration from 1500ms to 2m, such as 30 (seconds), 30s, 500ms or 1m"
        )
    }

    @Test(
        arguments: [
            ("4096", 4_096), ("4KiB", 4_096), ("4k", 4_096), ("1MiB", 1 << 20), ("1M", 1 << 20), ("12B", 12),
            ("4KB", nil), ("", nil), ("-1", nil), ("KiB", nil), ("2TiB", nil), ("2GiB", nil),
        ] as [(String, Int?)]
    )
    func sizes(text: String, expected: Int?) {
        let value = try? Setting.bytes("B", flag: text, environment: empty, default: 1, in: 0...(1 << 30))
        #expect(value == expected)
    }

    @Test(
        arguments: [
            ("127.0.0.1:7070", "127.0.0.1", 7070), ("[::1]:7070", "::1", 7070), ("scheduler-1:1", "scheduler-1", 1),
            ("0.0.0.0:0", "0.0.0.0", 0), ("[fe80::1%eth0]:65535", "fe80::1%eth0", 65_535),
        ]
    )
    func addresses(text: String, host: String, port: Int) throws {
        let address = try Setting.address("LISTEN", flag: text, environment: empty)
        #expect(address == HostPort(host: host, port: port))
        #expect(address?.description == text)
    }

    @Test(
        arguments: [
            "7070", ":7070", "::1:7070", "[::1]", "[::1]7070", "[]:1", "host:", "host:65536", "host:-1", "host:+1",
            "ho st:1", "host:1 ", "http://host:1", "[host]:1", "h:000001", "",
        ]
    )
    func wrongAddresses(text: String) {
        let said = message { try Setting.address("LISTEN", flag: text, environment: empty) }
        #expect(said.hasSuffix("; allowed is HOST:PORT, such as 127.0.0.1:7070 or [::1]:7070"))
    }

    @Test func listsOfAddresses() throws {
        let list = try Setting.addresses("SCHEDULERS", flag: "a:1, b:2,[::1]:3,a:1", environment: empty, default: [])
        #expect(list.map(\.description) == ["a:1", "b:2", "[::1]:3"])
        for wrong in ["a:1,", ",a:1", "a:0", "a", "a:1;b:2"] {
            let said = message { try Setting.addresses("SCHEDULERS", flag: wrong, environment: empty, default: []) }
            #expect(said.hasPrefix("SCHEDULERS (--schedulers) is \(wrong); allowed is HOST:PORT[,HOST:PORT…]"))
        }
    }

    @Test func words() throws {
        let environment = EnvironmentVariables(["LOG_LEVEL": "Warning", "LOG_FORMAT": "xml"])
        let options = try LogOptions.parse(["--log-format", "JSON"])
        #expect(try options.configuration(environment: environment) == LogConfiguration(level: .warning, format: .json))
        #expect(
            message { try LogOptions.parse([]).configuration(environment: environment) }
                == "LOG_FORMAT is xml; allowed is text, json"
        )
        #expect(try Setting.boolean("MIGRATE", flag: "off", environment: empty, default: true) == false)
        #expect(
            message { try Setting.boolean("MIGRATE", flag: "perhaps", environment: empty, default: true) }
                == "MIGRATE (--migrate) is perhaps; allowed is true or false"
        )
    }

    @Test func texts() throws {
        #expect(try Setting.text("ADVERTISE", flag: nil, environment: empty) == nil)
        #expect(try Setting.text("ADVERTISE", flag: nil, environment: empty, default: "x") == "x")
        #expect(
            message { try Setting.text("ADVERTISE", flag: "", environment: empty) }
                == "ADVERTISE (--advertise) is empty; omit it to use the default"
        )
        #expect(
            message { try Setting.required("DATABASE_URL", flag: nil, environment: empty, hint: "postgresql:///x") }
                == "DATABASE_URL is not set; give --database-url or DATABASE_URL, such as postgresql:///x"
        )
    }

    @Test func raisesTheLimitOfOpenFiles() {
        let limit = OpenFileLimit.raise()
        #expect(limit > 0)
        #expect(OpenFileLimit.raise() == limit)
    }
}
