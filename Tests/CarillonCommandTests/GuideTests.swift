import ArgumentParser
import TestSupport
import Testing

@testable import CarillonCommand

/// The tables of the command line guide match the program.
@Suite struct GuideTests {
    private static let guide = "Sources/CarillonCommand/CarillonCommand.docc/CommandLine.md"

    private func codes(_ table: GuideTable, column: Int = 0) -> [String] {
        table.column(column).flatMap { GuideTable.code(in: $0) }
    }

    /// The commands without subcommands, as the words of the command line.
    private static func leaves(of command: any ParsableCommand.Type, _ words: [String]) -> [String] {
        let subcommands = command.configuration.subcommands.filter { $0.configuration.shouldDisplay }
        guard !subcommands.isEmpty else { return [words.joined(separator: " ")] }
        return subcommands.flatMap { leaves(of: $0, words + [$0.configuration.commandName ?? ""]) }
    }

    /// The long options in a help screen.
    private func options(_ command: [String]) async -> [String] {
        let help = await run(command + ["--help"], terminalWidth: 10_000).output
        let listed = help.split(separator: "\n").drop { !$0.hasPrefix("USAGE: ") }.filter { $0.hasPrefix("  -") }
        return listed.compactMap { line in
            line.split { $0 == " " || $0 == "," || $0 == "/" }.first { $0.hasPrefix("--") }.map(String.init)
        }
    }

    @Test func everyCommandIsInTheGuide() {
        let table = GuideTable(Self.guide, under: "Overview")
        #expect(codes(table) == Self.leaves(of: Carillon.self, ["carillon"]))
    }

    @Test func everyExitStatusIsInTheGuide() {
        let table = GuideTable(Self.guide, under: "Scripts")
        #expect(table.column(0) == ExitStatus.allCases.map { "\($0.rawValue)" })
        // The protocol's code for an exit status.
        func code(in text: some StringProtocol) -> Substring? {
            text.split { $0 == "(" || $0 == ")" }.map { Substring($0) }.first { part in
                part.count > 3 && part.allSatisfy { $0.isUppercase || $0 == "_" }
            }
        }
        let lines = ExitStatus.table.split(separator: "\n")
        for (row, line) in zip(table.rows, lines) { #expect(code(in: row[1]) == code(in: line), "\(row[0])") }
    }

    @Test func everyOptionOfUpIsInTheGuide() async {
        let table = GuideTable(Self.guide, under: "The whole system")
        let listed = await options(["up"]).filter { $0 != "--help" && $0 != "--version" }
        #expect(Set(codes(table)) == Set(listed))
    }

    @Test func everyOptionOfAJobsSettingsIsInTheGuide() async {
        let table = GuideTable("Sources/CarillonCore/CarillonCore.docc/JobsAndSchedules.md", under: "Settings")
        let options = await options(["job", "create"])
        let others: Set<String> = [
            "--file", "--idempotency-key", "--utc", "--schedulers", "--context", "--output", "--request-timeout",
            "--version", "--help",
        ]
        #expect(Set(codes(table, column: 1)) == Set(options).subtracting(others), "\(options)")
    }
}
