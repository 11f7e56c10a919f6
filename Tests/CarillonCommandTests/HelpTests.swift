import CarillonCore
import CarillonRuntime
import Testing

@testable import CarillonCommand

/// Help screens, completions, and the lines that `carillon up` prints.
@Suite struct HelpTests {
    private static let indent = String(repeating: " ", count: 26)

    @Test(arguments: CommandLineTests.commands, [40, 80])
    func examplesAreNeverBroken(words: [String], width: Int) async {
        let narrow = await run(words + ["--help"], terminalWidth: width)
        let wide = await run(words + ["--help"], terminalWidth: 10_000)
        func examples(_ text: String) -> [Substring] {
            let overview = text.split(separator: "\nUSAGE: ")[0]
            return overview.split(separator: "\n").filter { $0.hasPrefix("  ") }
        }
        #expect(examples(narrow.output) == examples(wide.output))
        // No other line may be wider than the terminal, except for a label, which cannot be wrapped.
        for line in narrow.output.split(separator: "\n") where !line.hasPrefix("  ") && !line.hasPrefix("USAGE: ") {
            #expect(line.count <= width || !line.contains(" "), "\(line)")
        }
        for line in narrow.output.split(separator: "\n") where line.hasPrefix(Self.indent) {
            let text = line.dropFirst(26)
            #expect(line.count <= max(width, 46) || !text.contains(" "), "\(line)")
        }
        // The words are the same at any width.
        func allWords(_ text: String) -> [Substring] { text.split { $0.isWhitespace } }
        #expect(allWords(narrow.output) == allWords(wide.output))
    }

    // MARK: Completion

    private let store = JobStore(
        jobs: ["report", "re port", "backup"].enumerated().map { index, name in
            JobStore.job("019abcde-0000-7000-8000-0000aabbcc0\(index)", name)
        } + [JobStore.job("019abcde-0000-7000-8000-0000aabbcc09", nil)]
    )

    private func complete(
        _ command: [String],
        _ prefix: String,
        scheduler: FakeScheduler? = nil,
        words: [String] = []
    ) async -> Outcome {
        let line = ["carillon"] + command + words + [prefix]
        return await run(
            ["---completion"] + command + ["--", "positional@0", String(line.count - 1), String(prefix.count)] + line,
            scheduler: scheduler ?? store.scheduler
        )
    }

    @Test(arguments: [
        ["job", "get"], ["job", "update"], ["job", "delete"], ["job", "pause"], ["job", "resume"], ["job", "run"],
        ["execution", "list"], ["execution", "get"], ["execution", "latest"], ["execution", "stats"],
        ["execution", "cancel"], ["execution", "watch"],
    ])
    func namesOfJobs(command: [String]) async {
        let outcome = await complete(command, "re")
        #expect(outcome.status == 0 && outcome.output == "re port\nreport\n", "\(outcome.errors)")
        #expect(outcome.connection?.timeoutMs == 1_000)
    }

    @Test func theSchedulersOfTheLine() async {
        let outcome = await complete(["job", "get"], "", words: ["--schedulers", "a:1"])
        #expect(outcome.connection?.addresses == ["a:1"] && outcome.output.contains("backup\n"))
    }

    @Test func withoutASchedulerThereAreNone() async {
        let outcome = await complete(
            ["job", "get"],
            "",
            scheduler: Sample.refusing(ClientError(.unavailable, "no scheduler"))
        )
        #expect(outcome.errors == "" && outcome.output.allSatisfy(\.isNewline))
    }

    @Test(arguments: ["bash", "zsh", "fish"])
    func theScriptAsksForNames(shell: String) async {
        let script = await run(["completions", shell]).output
        #expect(script.contains("---completion") && script.contains("job get -- positional@0"))
    }

    // MARK: up

    @Test(arguments: [
        ("127.0.0.1:7070", "127.0.0.1:8000", "ready http://127.0.0.1:8000\n"),
        ("0.0.0.0:7070", "0.0.0.0:9000", "ready http://127.0.0.1:9000\n"),
        (
            "127.0.0.1:7171", "127.0.0.1:8000",
            "schedulers 127.0.0.1:7171 (for carillon: export SCHEDULERS=127.0.0.1:7171)\nready http://127.0.0.1:8000\n"
        ),
        (
            "[::]:7070", "[::1]:8000",
            "schedulers [::1]:7070 (for carillon: export SCHEDULERS=[::1]:7070)\nready http://[::1]:8000\n"
        ),
    ])
    func howUpIsReached(rpc: String, gateway: String, text: String) throws {
        let (rpc, gateway) = (try #require(HostPort(rpc)), try #require(HostPort(gateway)))
        #expect(LocalSystem.howToReach(rpc: rpc, gateway: gateway) == text)
    }
}
