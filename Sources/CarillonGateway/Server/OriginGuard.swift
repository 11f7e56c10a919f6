internal import CarillonRuntime
internal import CarillonSystem
internal import HTTPTypes

/// Refuses requests that a web page of another origin makes through a user's browser.
///
/// A page can send requests to any address, including loopback, and can point its own domain to the gateway's address
/// (DNS rebinding). Browsers describe the request in `Host`, `Origin` and `Sec-Fetch-Site`; pages cannot change these
/// headers.
struct OriginGuard: Sendable {
    /// Host names without a trailing dot.
    private let names: Set<String>
    private let publicURL: WebOrigin?
    private let trustedProxies: [AddressRange]

    init(_ configuration: GatewayConfiguration, machineName: String? = MachineName.current) {
        publicURL = configuration.publicURL
        trustedProxies = configuration.trustedProxies
        var names = Set(configuration.allowedHosts)
        names.insert("localhost")
        if let name = configuration.publicURL?.name { names.insert(name) }
        // An operator who configures a name to listen on also calls the gateway by that name.
        for own in [machineName, configuration.listen.host].compactMap(\.self) {
            guard let authority = WebAuthority(own), !authority.isAddress else { continue }
            names.insert(authority.name)
        }
        self.names = names
    }

    /// The destination of a request, according to its headers.
    struct Target: Sendable {
        /// The value of `Host`, then the values of `X-Forwarded-Host` if they come from a trusted proxy.
        fileprivate var hosts: [(header: String, text: String)]
        fileprivate var scheme = WebOrigin.Scheme.http
        /// The host name that the client used.
        fileprivate var clientHost: String?

        /// The origin of this gateway's pages as the client sees it; `nil` if the request has no valid host.
        fileprivate var origin: WebOrigin? {
            clientHost.flatMap { WebAuthority($0) }.map { WebOrigin(scheme, $0) }
        }
    }

    /// - Parameter peer: the address of the other end of the connection.
    func target(of request: HTTPRequest, peer: String?) -> Target {
        var target = Target(hosts: [], clientHost: request.authority)
        if let host = request.authority { target.hosts.append(("Host", host)) }
        guard isTrusted(peer) else { return target }
        // Each proxy appends its value: the first one comes from the proxy that the client connected to.
        let hosts = Self.list(request.headerFields, .forwardedHost)
        target.hosts += hosts.map { ("X-Forwarded-Host", $0) }
        if let first = hosts.first { target.clientHost = first }
        let schemes = Self.list(request.headerFields, .forwardedProto)
        if let scheme = schemes.first.flatMap({ WebOrigin.Scheme(rawValue: $0.lowercased()) }) {
            target.scheme = scheme
        }
        return target
    }

    private func isTrusted(_ peer: String?) -> Bool {
        guard !trustedProxies.isEmpty, let address = peer.flatMap({ IPAddress($0) }) else { return false }
        return trustedProxies.contains { $0.contains(address) }
    }

    private static func list(_ fields: HTTPFields, _ name: HTTPField.Name) -> [String] {
        fields[values: name].flatMap { value in
            value.split(separator: ",").map { $0.filter { $0 != " " && $0 != "\t" } }
        }
    }

    // MARK: The host

    /// The problem with the request's host names; `nil` if all of them are allowed.
    ///
    /// IP addresses are allowed, because rebinding needs a name. HTTP/1.0 requests without `Host` are allowed, because
    /// browsers never send them.
    func hostProblem(_ target: Target) -> Problem? {
        for (header, text) in target.hosts {
            guard let authority = WebAuthority(text) else {
                return misdirected("the \(header) header is \"\(text.prefix(100))\", which is not a host", name: nil)
            }
            guard !isAllowed(authority) else { continue }
            return misdirected(
                "the \(header) header is \(text.prefix(100)), which is not an allowed name of this gateway",
                name: authority.name
            )
        }
        return nil
    }

    private func isAllowed(_ authority: WebAuthority) -> Bool {
        authority.isAddress || names.contains(authority.name) || authority.name.hasSuffix(".localhost")
    }

    /// Does not list the allowed names, because a page under a rebound name can read this answer.
    private func misdirected(_ detail: String, name: String?) -> Problem {
        Problem(
            .misdirectedRequest,
            "HOST_NOT_ALLOWED",
            detail
                + ". Allowed are IP addresses, localhost, the machine's name, the host of PUBLIC_URL and the names in ALLOWED_HOSTS"
                + (name.map { "; to allow this name, start the gateway with ALLOWED_HOSTS=\($0.prefix(100))" } ?? "")
        )
    }

    // MARK: The origin of changes

    /// Whether a request with this method can change state.
    static func isChange(_ method: HTTPRequest.Method) -> Bool {
        method != .get && method != .head && method != .options
    }

    /// The reason to refuse a request with a changing method; `nil` if a page of this gateway or a client other than a
    /// browser sent it.
    func originProblem(_ request: HTTPRequest, _ target: Target) -> Problem? {
        guard Self.isChange(request.method) else { return nil }
        let sites = request.headerFields[values: .secFetchSite]
        guard sites.isEmpty || sites == ["same-origin"] || sites == ["none"] else {
            return foreign(
                "the browser says Sec-Fetch-Site: \(sites.joined(separator: ", ").prefix(60)): another page sent the request"
            )
        }
        let origins = request.headerFields[values: .origin]
        guard !origins.isEmpty else { return nil }
        guard origins.count == 1, let origin = WebOrigin(origins[0]) else {
            let shown = origins.joined(separator: ", ").prefix(100)
            return foreign("the request has Origin: \(shown), which is not an origin of this gateway")
        }
        guard origin != target.origin, origin != publicURL else { return nil }
        let own = target.origin.map { ", and the request was sent to \($0)" } ?? ""
        return foreign(
            "the request has Origin: \(origins[0].prefix(100))\(own). If browsers reach this gateway at that origin, start it with "
                + "PUBLIC_URL=\(origin), or list its proxies in TRUSTED_PROXIES"
        )
    }

    private func foreign(_ detail: String) -> Problem {
        Problem(.forbidden, "FOREIGN_ORIGIN", detail)
    }
}

extension HTTPField.Name {
    static let secFetchSite = HTTPField.Name("Sec-Fetch-Site")!
    static let forwardedHost = HTTPField.Name("X-Forwarded-Host")!
    static let forwardedProto = HTTPField.Name("X-Forwarded-Proto")!
}
