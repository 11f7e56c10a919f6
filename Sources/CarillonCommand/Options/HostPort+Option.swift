internal import ArgumentParser
internal import CarillonRuntime

extension HostPort {
    /// Reads the value of an option. Port 0 means any free port.
    /// - Throws: `ValidationError` with the valid forms.
    static func read(_ text: String) throws -> HostPort {
        guard let address = HostPort(text) else {
            throw ValidationError(
                "an address is host:port, such as 127.0.0.1:8000 or [::1]:8000, with a port of at most 65535"
            )
        }
        return address
    }
}
