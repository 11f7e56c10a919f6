import TestSupport
import Testing

/// `carillon-scheduler migrate` as a command.
@Suite(.serialized, .alone, .timeLimit(.minutes(2)))
struct MigrateCommandTests {
    @Test func takesItsDatabaseFromTheFlag() async throws {
        let system = try await TestSystem()
        let flag = ["--database-url", system.databaseURL, "--log-level", "ERROR"]
        #expect(try system.migrate(["status"] + flag).contains("pending"))
        #expect(try system.migrate(["up"] + flag).hasPrefix("applied"))
        #expect(try !system.migrate(["status"] + flag).contains("pending"))
        #expect(try system.psql("SELECT count(*) FROM shards") == "16")
        #expect(try system.migrate(["down", "--to", "0"] + flag).hasPrefix("reverted"))
        try await system.stop()
    }

    /// Waiting for a database with an invalid URL would never end.
    @Test func aDatabaseThatIsNoneIsAWrongSetting() async throws {
        let system = try await TestSystem()
        for command in ["migrate status", ""] {
            let script = "\"$0\" \(command) --database-url bogus; echo status $?"
            let text = try ChildProgram.run("/bin/sh", ["-c", script, system.bin + "/carillon-scheduler"])
            #expect(text.contains("DATABASE_URL cannot be read: a keyword has no value"), "\(text)")
            #expect(text.contains("it must look like postgresql://") && text.contains("status 64"), "\(text)")
        }
        try await system.stop()
    }
}
