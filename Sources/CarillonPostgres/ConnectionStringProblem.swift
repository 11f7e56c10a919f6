/// Describes errors in a connection string without quoting any part of it, because any part may belong to the password.
enum ConnectionStringProblem {
    /// Prefixes of libpq's messages, and the text for each.
    private static let sentences: [(message: String, sentence: String)] = [
        (
            "missing \"=\" after",
            "a keyword has no value; a string without postgresql:// consists of keyword=value pairs, and a value with spaces "
                + "must be in single quotes"
        ),
        ("unterminated quoted string", "a quoted value has no closing quote"),
        (
            "invalid connection option",
            "unknown keyword; a value with spaces must be in single quotes"
        ),
        ("invalid URI query parameter", "unknown query parameter"),
        ("extra key/value separator", "a query parameter has more than one ="),
        ("missing key/value separator", "a query parameter has no value"),
        ("end of string reached when looking for matching \"]\"", "an IPv6 address has no closing bracket"),
        ("IPv6 host address may not be empty", "an IPv6 address is empty"),
        ("unexpected character", "an IPv6 address is followed by something other than a port or a database"),
        ("invalid percent-encoded token", "a % is not followed by two hexadecimal digits"),
        ("forbidden value %00", "a value contains %00"),
        ("unexpected spaces found", "it contains spaces; write them as %20"),
        ("out of memory", "not enough memory"),
    ]

    /// The text for a message of libpq.
    static func sentence(for message: String) -> String {
        sentences.first { message.hasPrefix($0.message) }?.sentence ?? "libpq cannot read it"
    }

    /// Detects a URL that libpq accepts although a character of the password ends it early. The rest of the password would then be used
    /// as a host, a port or a database, and shown in errors.
    static func ambiguity(of url: String, _ given: [String: String]) -> String? {
        let ports = given["port", default: ""].split(separator: ",")
        guard ports.allSatisfy({ Int($0).map { 1...65_535 ~= $0 } ?? false }) else {
            return "a port is not a number from 1 to 65535"
        }
        // A leading @ denotes a socket in the abstract namespace.
        let hosts = given["host", default: ""].split(separator: ",")
        guard hosts.allSatisfy({ !$0.dropFirst().contains("@") }) else { return "a host contains @" }
        guard let scheme = ["postgresql://", "postgres://"].first(where: url.hasPrefix) else { return nil }
        let address = url.dropFirst(scheme.count).prefix { $0 != "?" }
        guard let slash = address.firstIndex(of: "/") else { return nil }
        return address[slash...].contains("@") ? "the name of the database contains @" : nil
    }
}
