import CarillonCore
import Testing

@testable import CarillonCommand

/// The configuration file, and the precedence of scheduler addresses.
@Suite struct ConfigurationTests {
    private static let path = "/home/me/.config/carillon/config.yml"
    private static let text = """
        # My schedulers.
        context: local
        contexts:
          local:
            schedulers: 127.0.0.1:7171
          production:
            schedulers: [a.example.org:7070, "b.example.org:7070"]
        """

    private func addresses(
        _ arguments: [String],
        _ environment: [String: String] = [:],
        file: String = text
    ) async -> [String]? {
        let outcome = await run(
            ["job", "list"] + arguments,
            environment: ["HOME": "/home/me"].merging(environment) { $1 },
            files: [Self.path: file]
        )
        return outcome.status == 0 ? outcome.connection?.addresses : nil
    }

    @Test func whichAddressesWin() async {
        let production = ["a.example.org:7070", "b.example.org:7070"]
        #expect(await addresses([]) == ["127.0.0.1:7171"])
        #expect(await addresses([], ["CARILLON_CONTEXT": "production"]) == production)
        #expect(await addresses([], ["CARILLON_CONTEXT": "production", "SCHEDULERS": "c:1"]) == ["c:1"])
        #expect(await addresses(["--context", "production"], ["SCHEDULERS": "c:1"]) == production)
        #expect(await addresses(["--context", "production", "--schedulers", "d:1"]) == ["d:1"])
        #expect(await addresses([], file: "contexts: {a: {schedulers: e:1}}") == ["127.0.0.1:7070"])
        for empty in ["", "# nothing\n", "~"] { #expect(await addresses([], file: empty) == ["127.0.0.1:7070"]) }
    }

    @Test func whereTheFileIs() {
        #expect(Configuration.path(["HOME": "/h"]) == "/h/.config/carillon/config.yml")
        #expect(Configuration.path(["HOME": "/h", "XDG_CONFIG_HOME": "/x"]) == "/x/carillon/config.yml")
        #expect(Configuration.path(["HOME": "/h", "CARILLON_CONFIG": "/c.yml"]) == "/c.yml")
        #expect(Configuration.path(["HOME": ""]) == nil)
    }

    @Test func aContextBeforeTheCommand() async {
        let outcome = await run(
            ["--context", "production", "job", "list"],
            environment: ["HOME": "/home/me"],
            files: [Self.path: Self.text]
        )
        #expect(outcome.connection?.addresses.count == 2)
    }

    @Test(
        arguments: [
            ("context: prod\ncontexts: {a: {schedulers: b:1}}", "has no such context; the contexts are a", 66),
            ("contexts: {a: {scheduler: b:1}}", "line 1: the context \"a\" has no setting \"scheduler\"", 65),
            ("context: a\ntokens: {}", "line 2: the file has no setting \"tokens\"", 65),
            ("contexts: {a: {}}", "the context \"a\" has no schedulers", 65),
            ("contexts: [a]", "contexts must be a mapping", 65), ("- a", "the file must be a mapping", 65),
            ("contexts: {a: {schedulers: {b: 1}}}", "schedulers must be a string", 65),
            ("context: ~", "context must be a string", 65),
            ("contexts: {a: b: c", "is not YAML", 65), ("context: a\ncontext: b", "is not YAML", 65),
            ("context: a\ncontexts: {a: {schedulers: nowhere}}", "\"nowhere\" in schedulers of the context \"a\"", 64),
        ] as [(String, String, Int32)]
    )
    func aWrongFileIsNamed(file: String, error: String, status: Int32) async {
        let outcome = await run(["job", "list"], environment: ["HOME": "/home/me"], files: [Self.path: file])
        #expect(outcome.status == status && outcome.connection == nil)
        #expect(outcome.errors.contains(error) && outcome.errors.contains(Self.path), "\(outcome.errors)")
        #expect(outcome.errors.split(separator: "\n").count == 1)
        // With --schedulers the file is not needed.
        #expect(await run(["job", "list", "--schedulers", "a:1"], files: [Self.path: file]).status == 0)
    }

    @Test func aFileOrContextThatIsNotThere() async {
        let context = await run(["job", "list", "--context", "a"], environment: ["HOME": "/home/me"])
        #expect(context.status == 66 && context.errors.contains("there is no configuration file \(Self.path)"))
        let file = await run(["job", "list"], environment: ["CARILLON_CONFIG": "/c.yml"])
        #expect(file.status == 66 && file.errors.contains("CARILLON_CONFIG is /c.yml, which does not exist"))
        #expect(await run(["job", "list"]).connection?.addresses == ["127.0.0.1:7070"])
    }
}
