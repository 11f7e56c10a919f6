import Testing

@testable import CarillonPostgres

/// Error texts for unusable connection strings.
@Suite struct ConnectionStringTests {
    @Test(
        arguments: [
            ("hunter2", "keyword=value pairs"),
            ("host=h password=my hunter2", "keyword=value pairs"),
            ("host=h password='hunter2", "no closing quote"),
            ("host=h password=my hunter2=x", "unknown keyword"),
            ("postgres://u:hunter2%zz@h/db", "not followed by two hexadecimal digits"),
            ("postgres://u:hunter2%00@h/db", "%00"),
            ("postgres://u:hunter2@[::1/db", "no closing bracket"),
            ("postgres://u:hunter2@[]/db", "an IPv6 address is empty"),
            ("postgres://u:hunter2@[::1]x/db", "followed by something other than a port or a database"),
            ("postgres://u:x@h/db?hunter2=1", "unknown query parameter"),
            ("postgres://u:x@h/db?password=hun=hunter2", "more than one ="),
            ("postgres://u:x@h/db?hunter2", "no value"),
            // libpq accepts the following texts, and would use a part of the password as a host or a database.
            ("postgres://u:hunter2/x@h/db", "a port is not a number"),
            ("postgres://u:12/hunter2@h/db", "the name of the database contains @"),
            ("postgres://u:x@hunter2@h/db", "a host contains @"),
            ("postgres://u:12?/hunter2@h/db", "no value"),
            ("host=h port=hunter2", "a port is not a number"),
            ("postgres://h:70000/db", "a port is not a number"),
        ]
    )
    func noPartOfItIsQuoted(_ text: String, _ sentence: String) {
        let problem = PostgresConfiguration.problem(with: text)
        #expect(problem?.contains(sentence) == true, "\(problem ?? "")")
        #expect(problem?.contains("hunter2") == false)
        let error = #expect(throws: DatabaseError.self) { try ConnectionSettings(url: text, role: .writer) }
        #expect(error?.message == problem)
    }

    @Test(
        arguments: [
            "postgresql://u:p%40%2F%3A%3F@h:5432/db?application_name=a@b", "postgresql://h1:1,h2:2,[::1]:3/db",
            "postgresql:///db?host=/run/postgresql&user=me", "postgresql://%2Frun%2Fpostgresql/d%40b", "postgresql://",
            "postgresql://u:12?host=x@h/db", "host=@socket dbname=a@b", "host=h port=5432,5433 password='my hunter2'",
            "",
        ]
    )
    func connectionStringsThatLibpqAcceptsAreAccepted(_ text: String) {
        #expect(PostgresConfiguration.problem(with: text) == nil)
    }

    /// libpq quotes a part of each of these, in messages that this module may not know.
    @Test func anUnknownMessageIsNotRepeated() {
        #expect(ConnectionStringProblem.sentence(for: "cannot use \"hunter2\"") == "libpq cannot read it")
    }
}
