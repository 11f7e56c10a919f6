package import CarillonRuntime

extension Setting {
    private static var addressForm: String { "HOST:PORT, such as 127.0.0.1:7070 or [::1]:7070" }

    /// An address to listen on or to announce; port 0 takes a free one. `nil` when it is not set.
    package static func address(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process
    ) throws(ConfigurationError) -> HostPort? {
        guard let given = given(name, flag, environment) else { return nil }
        guard let address = HostPort(given.text) else { throw given.error(addressForm) }
        return address
    }

    package static func address(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: HostPort
    ) throws(ConfigurationError) -> HostPort {
        try address(name, flag: flag, environment: environment) ?? `default`
    }

    /// Addresses to dial, separated by commas, with ports other than 0. Duplicates are removed.
    package static func addresses(
        _ name: String,
        flag: String?,
        environment: EnvironmentVariables = .process,
        default: [HostPort]
    ) throws(ConfigurationError) -> [HostPort] {
        guard let given = given(name, flag, environment) else { return `default` }
        let allowed = "HOST:PORT[,HOST:PORT…] with ports from 1 to 65535, such as 127.0.0.1:7070"
        var addresses: [HostPort] = []
        for part in given.text.split(separator: ",", omittingEmptySubsequences: false) {
            let text = part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed()
            guard let address = HostPort(String(text)), address.port != 0 else { throw given.error(allowed) }
            if !addresses.contains(address) { addresses.append(address) }
        }
        return addresses
    }
}
