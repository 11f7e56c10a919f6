import Testing

@testable import CarillonCommand

/// The statements for the roles of the private database. The end-to-end tests run them.
@Suite struct DatabaseRolesTests {
    @Test func eachStatementIsOneLine() {
        let script = DatabaseRoles.script(role: "carillon", database: "job_scheduler", password: "it's \\ x")
        let lines = script.split(separator: "\n")
        #expect(lines.first == "BEGIN" && lines.last == "COMMIT" && script.hasSuffix("\n"))
        // A backslash at the end of a line would join it with the next line.
        #expect(lines.allSatisfy { !$0.hasSuffix("\\") })
        #expect(lines.contains { $0.contains("NOSUPERUSER") && $0.hasSuffix("PASSWORD 'it''s \\ x'") })
    }

    @Test func passwordsAreEscapedInURLs() {
        #expect(SecretQuote.percentEncoded("a1-._@:/?#%é") == "a1-._%40%3A%2F%3F%23%25%C3%A9")
    }
}
