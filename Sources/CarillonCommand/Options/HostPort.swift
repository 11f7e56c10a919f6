internal import ArgumentParser
internal import CarillonRPC

/// host:port of the command line; an IPv6 address stands in brackets.
struct HostPort: Hashable, Sendable, CustomStringConvertible {
    var host: String
    /// 0: any that is free.
    var port: Int

    init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    init?(_ text: String) {
        guard let endpoint = try? Endpoint(text) else { return nil }
        self.init(host: endpoint.host, port: endpoint.port)
    }

    var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension HostPort {
    /// An option's value.
    /// - Throws: `ValidationError`, which says what would be one.
    static func read(_ text: String) throws -> HostPort {
        guard let address = HostPort(text) else {
            throw ValidationError("an address is host:port, such as 127.0.0.1:8000 or [::1]:8000; ports end at 65535")
        }
        return address
    }
}
