package import CarillonCore
internal import NIOCore

/// host:port as people write it; an IPv6 address stands in brackets.
package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// - Throws: `invalidArgument` that says what the text should look like.
    package init(_ text: String) throws(ClientError) {
        let host: Substring
        let port: Substring
        if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
            host = text[text.index(after: text.startIndex)..<end]
            let rest = text[text.index(after: end)...]
            guard rest.hasPrefix(":") else { throw Endpoint.problem(text) }
            port = rest.dropFirst()
        } else {
            guard let colon = text.lastIndex(of: ":") else { throw Endpoint.problem(text) }
            host = text[..<colon]
            port = text[text.index(after: colon)...]
            guard !host.contains(":") else { throw Endpoint.problem(text) }
        }
        guard !host.isEmpty, let number = Int(port), 0...65_535 ~= number else { throw Endpoint.problem(text) }
        self.init(host: String(host), port: number)
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    private static func problem(_ text: String) -> ClientError {
        ClientError(
            .invalidArgument,
            "\"\(text)\" is not host:port, such as 127.0.0.1:7070 or [::1]:7070",
            retryable: false
        )
    }

    static func text(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return "\(address)" }
        return Endpoint(host: ip, port: port).description
    }
}
