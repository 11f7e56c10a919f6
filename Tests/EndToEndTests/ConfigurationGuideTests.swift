import TestSupport
import Testing

/// The tables of the configuration guide match the settings of the programs.
@Suite(.timeLimit(.minutes(5)))
struct ConfigurationGuideTests {
    private static let programs = ["carillon-scheduler", "carillon-worker", "carillon-gateway"]

    private func rows(of program: String) -> [[String]] {
        ["All three", program].flatMap { heading in
            GuideTable("Sources/CarillonSystem/CarillonSystem.docc/Configuration.md", under: heading).rows
        }
    }

    /// The output of a program, which runs for at most 20 s.
    private func output(_ program: String, _ arguments: String, variables: String = "") throws -> String {
        let bin = try TestSystem.programs()
        let command = "env \(variables) timeout 20 \"$0/\(program)\" \(arguments) 2>&1 </dev/null; true"
        return try ChildProgram.run("/bin/sh", ["-c", command, bin])
    }

    /// The variables in a help screen and their defaults: `(MAX_RETRIES; default: 3)`.
    private func documented(in help: String) -> [String: String] {
        let words = help.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        var defaults: [String: String] = [:]
        for part in words.split(separator: "(").dropFirst() {
            let content = part.prefix { $0 != ")" }
            let name = content.prefix { $0.isUppercase || $0 == "_" }
            let rest = content.dropFirst(name.count)
            guard name.count > 3, rest.hasPrefix("; ") else { continue }
            let value = rest.dropFirst(2)
            defaults[String(name)] = String(value.hasPrefix("default: ") ? value.dropFirst(9) : value)
        }
        return defaults
    }

    @Test(arguments: programs)
    func everyVariableAndItsDefaultAreInTheGuide(_ program: String) throws {
        let documented = documented(in: try output(program, "--help"))
        let rows = rows(of: program)
        #expect(rows.count == documented.count && documented.count > 5, "\(documented.keys.sorted())")
        for row in rows {
            let name = try #require(GuideTable.code(in: row[0]).first)
            #expect(documented[name] == row[1], "\(name)")
        }
    }

    @Test(arguments: programs)
    func theRangesAreThoseOfTheGuide(_ program: String) throws {
        for row in rows(of: program) where !row[2].isEmpty {
            let name = try #require(GuideTable.code(in: row[0]).first)
            let invalid = name == "WORKER_NAME" ? String(repeating: "x", count: 256) : "?"
            let message = try output(
                program,
                "",
                variables: "DATABASE_URL=postgresql://127.0.0.1:1/none '\(name)=\(invalid)'"
            )
            let range = row[2].hasSuffix(" bytes") ? String(row[2].dropLast(6)) : row[2]
            #expect(message.hasPrefix("error: \(name) ") && message.contains(range), "\(message)")
        }
    }
}
