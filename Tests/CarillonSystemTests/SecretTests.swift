import Testing

@testable import CarillonSystem

/// Passwords in connection strings, messages and arguments.
@Suite struct SecretTests {
    @Test(
        arguments: [
            ("postgres://user:hunter2@host/db", "postgres://user:***@host/db"),
            ("postgresql://user:hunter2@host:5432/db", "postgresql://user:***@host:5432/db"),
            ("postgresql://user@host/db", "postgresql://user@host/db"),
            ("postgresql:///db?host=/run/postgresql&user=me", "postgresql:///db?host=/run/postgresql&user=me"),
            ("postgresql://u:hunt%40er@a:1,b:2,[::1]:3/db", "postgresql://u:***@a:1,b:2,[::1]:3/db"),
            ("postgresql://%2Frun%2Fpostgresql/db", "postgresql://%2Frun%2Fpostgresql/db"),
            ("postgresql://h/db?password=hunter2&sslmode=require", "postgresql://h/db?password=***&sslmode=require"),
            ("postgresql://h/db?sslpassword=hunter2", "postgresql://h/db?sslpassword=***"),
            ("postgresql://h/db?options=-cx.password%3Dhunter2", "postgresql://h/db?options=***"),
            ("postgresql://", "postgresql://"),
            ("host=h user=u password=hunter2 dbname=d", "host=h user=u password=*** dbname=d"),
            ("host = h password = 'hunter2 and more'", "host=h password=***"),
            ("password='it\\'s hunter2' host=h", "password=*** host=h"),
            ("sslpassword=hunter2\\ x host=h", "sslpassword=*** host=h"),
        ]
    )
    func connectionStringsAreMasked(_ text: String, _ shown: String) {
        #expect(MaskedConnectionString.of(text) == shown)
    }

    /// Each text is ambiguous or invalid; a part that looks harmless may belong to the password.
    @Test(
        arguments: [
            "postgres://user:hun/ter2@host/db", "postgres://user:hun@ter2@host/db", "postgres://user:hun?ter2@host/db",
            "postgres://user:12/ter2@host/db", "postgres://user:12?ter=2@host/db", "postgres://user:hun ter2@host/db",
            "postgres://user:hunter2", "postgres://h/db?passw%6Frd=hunter2", "postgres://h/db?pasword=hunter2",
            "postgres://h/db?password=hunter2&=x", "postgres://h/db?password=hun=ter2", "postgres://h/d@b:hunter2",
            "postgres://h:1/db?application_name=a@b", "postgres://u:hun#ter2/db",
            "host=h password=my hunter2", "host=h password=my hunter=2", "host=h password='hunter2",
            "host=h pasword=hunter2", "hunter2", "", "dbname=postgres://u:hunter2@h/db", "mysql://u:hunter2@h/db",
            "jdbc:postgresql://h/db?password=hunter2", "postgres://u:hun\nter2@h/db",
        ]
    )
    func unparsableConnectionStringHasNoMaskedForm(_ text: String) {
        #expect(MaskedConnectionString.of(text) == nil)
    }

    @Test(
        arguments: [
            "postgres://u:hunter2@h/db", "mysql://u:hunter2@h", "u:hunter2@h:5432/db", "host=h password=hunter2",
            "host=h PASSWORD = hunter2", "jdbc:postgresql://h/db?user=u&password=hunter2",
        ]
    )
    func anErrorOfAnotherSettingDoesNotQuoteIt(_ text: String) {
        let environment = EnvironmentVariables([:])
        let error = #expect(throws: ConfigurationError.self) {
            _ = try Setting.addresses("SCHEDULERS", flag: text, environment: environment, default: [])
        }
        #expect(error?.message.hasPrefix("SCHEDULERS (--schedulers) is ") == true)
        #expect(error?.message.contains("hunter2") == false, "\(error?.message ?? "")")
        #expect(SecretText.shown("http://host/path?x=1") == "http://host/path?x=1")
    }

    @Test func messagesOfAParserDoNotQuoteIt() {
        let (url, other) = ("postgres://u:hunter2@h/db", "mysql://u:hunter2@h")
        let message = "Unexpected argument '\(url)', invalid '\(other)' and '\(other)'"
        #expect(
            SecretText.masking(message, of: ["carillon", url, "--listen=\(other)"])
                == "Unexpected argument 'postgres://u:***@h/db', invalid '\(SecretText.placeholder)' and "
                + "'\(SecretText.placeholder)'"
        )
        #expect(SecretText.masking("'a' is wrong", of: ["a", ""]) == "'a' is wrong")
    }

    @Test func optionsMoveToTheEnvironment() {
        let options = ["--database-url": "DATABASE_URL", "--database-read-url": "DATABASE_READ_URL"]
        func moved(_ words: String...) -> SecretOptions.Moved? { SecretOptions.moved(words, options) }
        #expect(
            moved("carillon", "up", "--database-url", "a", "--workers", "2", "--database-read-url=b")
                == SecretOptions.Moved(
                    arguments: ["carillon", "up", "--workers", "2"],
                    variables: ["DATABASE_URL": "a", "DATABASE_READ_URL": "b"]
                )
        )
        // The last option wins, as in the parser.
        #expect(moved("x", "--database-url=a", "--database-url", "b")?.variables == ["DATABASE_URL": "b"])
        #expect(
            moved("x", "--database-url", "a", "--", "--database-url", "b")?.arguments == [
                "x", "--", "--database-url", "b",
            ]
        )
        for words in [["x"], ["x", "--database-url"], ["x", "--database-url", ""], ["x", "--database-url="]] {
            #expect(SecretOptions.moved(words, options) == nil)
        }
        #expect(moved("x", "--database-url", "--workers", "2") == nil)
    }
}
