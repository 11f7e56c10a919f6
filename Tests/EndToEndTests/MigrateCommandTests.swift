import Testing

/// `carillon-scheduler migrate`, as it is typed.
@Suite(.serialized, .alone, .timeLimit(.minutes(2)))
struct MigrateCommandTests {
    @Test func takesItsDatabaseFromTheFlag() async throws {
        let system = try await TestSystem()
        let flag = ["--database-url", system.databaseURL, "--log-level", "ERROR"]
        #expect(try system.migrate(["status"] + flag).contains("pending"))
        #expect(try system.migrate(["up"] + flag).hasPrefix("applied"))
        #expect(try !system.migrate(["status"] + flag).contains("pending"))
        #expect(try system.psql("SELECT count(*) FROM shards") == "16")
        #expect(try system.migrate(["down", "--to", "0"] + flag).hasPrefix("took back"))
        try await system.stop()
    }
}
