/// Settings for the names and addresses of browsers and proxies.
extension Setting {
    /// A URL of scheme, host and optional port; a slash at its end is ignored. `nil` when it is not set.
    package static func origin(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process
    ) throws(ConfigurationError) -> WebOrigin? {
        guard let given = given(name, flag, environment) else { return nil }
        let text = given.text.hasSuffix("/") ? given.text.dropLast() : given.text[...]
        guard let origin = WebOrigin(text) else {
            throw given.error(
                "http://HOST[:PORT] or https://HOST[:PORT] without a path, such as https://carillon.example.com"
            )
        }
        return origin
    }

    /// Host names, separated by commas, in lower case.
    package static func hostNames(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process
    ) throws(ConfigurationError) -> [String] {
        guard let given = given(name, flag, environment) else { return [] }
        let allowed = "NAME[,NAME…] without scheme and port, such as carillon.example.com"
        return try list(given) { text throws(ConfigurationError) in
            guard let authority = WebAuthority(text), authority.port == nil, text.last != ":", text.first != "[" else {
                throw given.error(allowed)
            }
            return authority.name
        }
    }

    /// IP addresses and ranges, separated by commas.
    package static func addressRanges(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process
    ) throws(ConfigurationError) -> [AddressRange] {
        guard let given = given(name, flag, environment) else { return [] }
        let allowed = "ADDRESS[/BITS][,ADDRESS[/BITS]…], such as 10.0.0.0/8 or ::1"
        return try list(given) { text throws(ConfigurationError) in
            guard let range = AddressRange(text) else { throw given.error(allowed) }
            return range
        }
    }

    /// The parts between the commas, without surrounding spaces.
    private static func list<Element>(
        _ given: Given,
        _ read: (Substring) throws(ConfigurationError) -> Element
    ) throws(ConfigurationError) -> [Element] {
        var elements: [Element] = []
        for part in given.text.split(separator: ",", omittingEmptySubsequences: false) {
            var text = part.drop { $0 == " " }
            while text.last == " " { text.removeLast() }
            elements.append(try read(text))
        }
        return elements
    }
}
