internal import ArgumentParser
internal import CarillonRuntime

extension HostPort {
    /// An option's value; port 0 is any that is free.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> HostPort {
        guard let address = HostPort(text) else {
            throw ValidationError("an address is host:port, such as 127.0.0.1:8000 or [::1]:8000; ports end at 65535")
        }
        return address
    }
}
