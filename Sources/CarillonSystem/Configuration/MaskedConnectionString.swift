/// Masks PostgreSQL connection URIs and keyword/value strings: `***` replaces every secret.
///
/// The grammar is stricter than libpq's. A password with an unescaped `@`, `/`, `?` or space is ambiguous, and its unmasked part
/// could belong to the password; such a string has no masked form.
package enum MaskedConnectionString {
    private static let mask = "***"
    private static let schemes = ["postgresql://", "postgres://"]

    /// Parameters with secret values.
    private static let secrets: Set<String> = [
        "password", "sslpassword", "oauth_client_secret", "scram_client_key", "scram_server_key",
    ]

    /// The other parameters of libpq (PostgreSQL documentation, section 34.1.2), and JDBC's `ssl`.
    private static let keywords: Set<String> = [
        "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
        "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr", "keepalives",
        "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname", "load_balance_hosts",
        "max_protocol_version", "min_protocol_version", "options", "passfile", "port", "replication", "require_auth",
        "requirepeer", "requiressl", "service", "servicefile", "ssl", "ssl_max_protocol_version",
        "ssl_min_protocol_version", "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey",
        "sslmode", "sslnegotiation", "sslrootcert", "sslsni", "target_session_attrs", "tcp_user_timeout", "user",
    ]

    /// The masked form.
    /// - Returns: `nil` when the string cannot be parsed; it must not be shown then.
    package static func of(_ text: String) -> String? {
        guard text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else { return nil }
        if let scheme = schemes.first(where: text.hasPrefix) {
            return uri(text.dropFirst(scheme.count)).map { scheme + $0 }
        }
        return text.contains("://") ? nil : assignments(text)
    }

    /// Whether the text looks like a connection string of either form.
    package static func isConnectionString(_ text: String) -> Bool {
        schemes.contains(where: text.hasPrefix) || text.contains("=")
    }

    // MARK: URIs

    /// The part after the scheme: `[user[:password]@][host[:port],…][/database][?parameters]`.
    private static func uri(_ text: Substring) -> String? {
        guard !text.contains(where: \.isWhitespace) else { return nil }
        let (address, query) = split(text, at: "?")
        let (authority, database) = split(address, at: "/")
        guard let authority = masked(authority: authority), query.map({ !$0.contains("@") }) ?? true else { return nil }
        var result = authority
        if let database {
            guard !database.contains("@"), !database.contains(":") else { return nil }
            result += "/" + database
        }
        guard let query, !query.isEmpty else { return result + (query == nil ? "" : "?") }
        var parameters: [String] = []
        for parameter in query.split(separator: "&", omittingEmptySubsequences: false) {
            guard let shown = masked(parameter: parameter) else { return nil }
            parameters.append(shown)
        }
        return result + "?" + parameters.joined(separator: "&")
    }

    private static func masked(authority: Substring) -> String? {
        let parts = authority.split(separator: "@", omittingEmptySubsequences: false)
        guard parts.count <= 2, let hosts = parts.last else { return nil }
        for host in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            guard isHost(host) else { return nil }
        }
        guard parts.count == 2 else { return String(hosts) }
        let (user, password) = split(parts[0], at: ":")
        return "\(user)\(password == nil ? "" : ":" + mask)@\(hosts)"
    }

    /// A name, an address, or the percent-encoded path of a socket folder, with an optional port.
    private static func isHost(_ text: Substring) -> Bool {
        var rest = text
        if rest.first == "[" {
            guard let end = rest.firstIndex(of: "]") else { return false }
            let address = rest[rest.index(after: rest.startIndex)..<end]
            guard address.allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." || $0 == "%" }) else { return false }
            rest = rest[rest.index(after: end)...]
        } else {
            rest = rest.drop { $0.isASCII && ($0.isLetter || $0.isNumber || "._-%".contains($0)) }
        }
        guard let colon = rest.first else { return true }
        return colon == ":" && rest.dropFirst().allSatisfy { $0.isASCII && $0.isNumber }
    }

    private static func masked(parameter: Substring) -> String? {
        let parts = parameter.split(separator: "=", omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        return masked(keyword: String(parts[0]), value: String(parts[1])).map { "\(parts[0])=\($0)" }
    }

    // MARK: Keywords and values

    /// `keyword = value …`; a value with spaces is in single quotes, and a backslash escapes a character.
    private static func assignments(_ text: String) -> String? {
        var rest = text.drop(while: \.isWhitespace)
        var shown: [String] = []
        while !rest.isEmpty {
            let keyword = rest.prefix { $0 != "=" && !$0.isWhitespace }
            rest = rest.dropFirst(keyword.count).drop(while: \.isWhitespace)
            guard rest.popFirst() == "=" else { return nil }
            rest = rest.drop(while: \.isWhitespace)
            guard let value = value(&rest), let masked = masked(keyword: String(keyword), value: value) else {
                return nil
            }
            shown.append("\(keyword)=\(masked)")
            rest = rest.drop(while: \.isWhitespace)
        }
        return shown.isEmpty ? nil : shown.joined(separator: " ")
    }

    /// Removes a value, including its quotes, from the start of the text.
    private static func value(_ rest: inout Substring) -> String? {
        let isQuoted = rest.first == "'"
        var value = ""
        if isQuoted, let quote = rest.popFirst() { value.append(quote) }
        while let character = rest.first {
            if !isQuoted, character.isWhitespace { return value }
            value.append(character)
            rest = rest.dropFirst()
            if character == "\\" {
                guard let escaped = rest.popFirst() else { return nil }
                value.append(escaped)
            } else if isQuoted, character == "'" {
                return value
            }
        }
        return isQuoted ? nil : value
    }

    // MARK: Parts

    private static func masked(keyword: String, value: String) -> String? {
        if secrets.contains(keyword) { return mask }
        guard keywords.contains(keyword), !value.contains("://") else { return nil }
        return value.lowercased().contains("password") ? mask : value
    }

    /// The text before the first such character, and the text after it, if any.
    private static func split(_ text: Substring, at separator: Character) -> (Substring, Substring?) {
        guard let index = text.firstIndex(of: separator) else { return (text, nil) }
        return (text[..<index], text[text.index(after: index)...])
    }
}
