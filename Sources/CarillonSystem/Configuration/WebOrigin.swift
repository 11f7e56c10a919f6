/// The origin of a web page (RFC 6454): scheme, host and port. `http://a` and `http://A:80` are the same.
package struct WebOrigin: Sendable, Hashable, CustomStringConvertible {
    /// The schemes of a gateway's URL.
    package enum Scheme: String, Sendable {
        case http, https
    }

    package let scheme: Scheme
    package let host: String
    package let port: Int
    /// The host name as in `WebAuthority.name`.
    package let name: String

    package init(_ scheme: Scheme, _ authority: WebAuthority) {
        self.scheme = scheme
        host = authority.host
        name = authority.name
        port = authority.port ?? WebOrigin.defaultPort(of: scheme)
    }

    /// Parses `http://` or `https://`, a host and an optional port, with nothing after. `nil` for an invalid text.
    package init?(_ text: some StringProtocol) {
        guard let colon = text.firstIndex(of: ":"), text[colon...].hasPrefix("://"),
            let scheme = Scheme(rawValue: text[..<colon].lowercased()),
            let authority = WebAuthority(text[colon...].dropFirst(3))
        else { return nil }
        self.init(scheme, authority)
    }

    package var description: String {
        let shown = host.contains(":") ? "[\(host)]" : host
        return "\(scheme.rawValue)://\(shown)" + (port == WebOrigin.defaultPort(of: scheme) ? "" : ":\(port)")
    }

    private static func defaultPort(of scheme: Scheme) -> Int { scheme == .http ? 80 : 443 }
}
