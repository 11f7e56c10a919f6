import CarillonCron
import CarillonRuntime
import Testing

@testable import CarillonCommand

/// Parses times, durations and addresses, and formats text for tables.
@Suite struct ArgumentTests {
    @Test(arguments: [
        ("now", "2026-11-25T12:34:56.789Z"), ("today", "2026-11-25T00:00:00Z"), ("Yesterday", "2026-11-24T00:00:00Z"),
        ("tomorrow", "2026-11-26T00:00:00Z"), ("-1h", "2026-11-25T11:34:56.789Z"), ("+30m", "2026-11-25T13:04:56.789Z"),
        ("-90", "2026-11-25T12:33:26.789Z"), ("2026-11-23", "2026-11-23T00:00:00Z"),
        ("2026-11-23T09:00:00+01:00", "2026-11-23T08:00:00Z"), ("2026-11-23 09:00:00Z", "2026-11-23T09:00:00Z"),
    ])
    func times(word: String, time: String) {
        #expect(TimeArgument(word)?.text(at: now) == time)
    }

    @Test(arguments: ["", "noon", "-", "+", "-x", "2026-13-01", "2026-02-30", "2026-11-23T09:00:00", "09:00", "--1h"])
    func noTimes(word: String) {
        #expect(TimeArgument(word) == nil)
    }

    @Test(
        arguments: [
            ("30", 30_000), ("1.5", 1_500), ("30s", 30_000), ("1h30m", 5_400_000), ("500ms", 500), ("2d", 172_800_000),
            ("PT5M", 300_000),
            ("0", 0),
        ] as [(String, Int64)]
    )
    func spans(word: String, milliseconds: Int64) {
        #expect(DurationArgument(word)?.milliseconds == milliseconds)
    }

    @Test(arguments: ["", "-1", "1e3", "inf", "nan", "0x10", "1 h", "h", "1.2.3", "99999999999999999999", "."])
    func noSpans(word: String) {
        #expect(DurationArgument(word) == nil)
    }

    @Test func addresses() {
        #expect(HostPort("localhost:8000") == HostPort(host: "localhost", port: 8000))
        #expect(HostPort("[::1]:0")?.description == "[::1]:0")
        for text in ["localhost", "::1:80", "a:65536", ":80", "a:-1", ""] { #expect(HostPort(text) == nil, "\(text)") }
        #expect(LocalSystem.reachable(HostPort(host: "0.0.0.0", port: 8000)).description == "127.0.0.1:8000")
        #expect(LocalSystem.reachable(HostPort(host: "::", port: 1)).description == "[::1]:1")
    }

    @Test func textFromStrangersIsHarmless() {
        #expect(TerminalText.line("a\nb\tc\u{1B}[2J\u{202E}") == "a b c\\u{1b}[2J\\u{202e}")
        #expect(
            TerminalText.width(of: "日本") == 4 && TerminalText.width(of: "e\u{301}") == 1
                && TerminalText.width(of: "👍") == 2
        )
        #expect(
            TerminalText.cut("abcdef", to: 4) == "abc…" && TerminalText.cut("日本語", to: 4) == "日…"
                && TerminalText.cut("ab", to: 2) == "ab"
        )
    }

    @Test func figures() {
        #expect(ValueFormat.milliseconds(1.234) == "1.23 ms" && ValueFormat.milliseconds(99.94) == "99.9 ms")
        #expect(ValueFormat.milliseconds(250) == "250 ms" && ValueFormat.milliseconds(2_500) == "2.50 s")
        #expect(ValueFormat.milliseconds(3_723_456) == "1h2m3s")
        #expect(TextFormat.decimal(-0.004, places: 2) == "0.00" && TextFormat.decimal(-1.5, places: 1) == "-1.5")
    }

    @Test func aNarrowTerminal() async {
        let lines = await run(["job", "list"], environment: ["NO_COLOR": "1"], terminalWidth: 118).output.split(
            separator: "\n"
        )
        #expect(lines.allSatisfy { TerminalText.width(of: String($0)) <= 118 })
        #expect(lines[1].contains("00000001") && lines[1].contains("2026-11-26T08:00:00Z"))
    }

    @Test func coloursAreForTerminals() async {
        let red = "\u{1B}[31mFAILED\u{1B}[0m"
        #expect(await run(["execution", "list"], terminalWidth: 200).output.contains(red))
        #expect(await !run(["execution", "list"]).output.contains("\u{1B}"))
        for quiet in [["NO_COLOR": "1"], ["TERM": "dumb"]] {
            #expect(
                await !run(["execution", "list"], environment: quiet, terminalWidth: 200).output.contains("\u{1B}")
            )
        }
        #expect(
            await run(["execution", "list"], environment: ["NO_COLOR": ""], terminalWidth: 200).output.contains(red)
        )
    }

    @Test func versionsOfPostgreSQL() {
        #expect(PostgresPrograms.major(ofVersionText: "postgres (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)\n") == 15)
        #expect(PostgresPrograms.major(ofVersionText: "postgres (PostgreSQL) 18beta1") == 18)
        #expect(PostgresPrograms.major(ofVersionText: "nonsense") == nil)
    }

    @Test func waitStatuses() {
        #expect(ChildProcess.clause(3 << 8) == "exited with status 3")
        #expect(ChildProcess.clause(9) == "was killed by signal 9")
    }
}
