internal import CarillonSystem
internal import HTTPTypes

/// Refuses requests that a web page of another origin makes through its visitor's browser.
///
/// A page can send requests to any address, loopback included, and it can give the gateway's address a name of its own (DNS
/// rebinding). Browsers say in `Host`, `Origin` and `Sec-Fetch-Site` what a request is; pages cannot change these fields.
struct OriginGuard: Sendable {
    /// Without dots at their ends.
    private let names: Set<String>
    private let publicURL: WebOrigin?
    private let trustedProxies: [AddressRange]

    init(_ configuration: GatewayConfiguration, machineName: String? = MachineName.current) {
        publicURL = configuration.publicURL
        trustedProxies = configuration.trustedProxies
        var names = Set(configuration.allowedHosts)
        names.insert("localhost")
        if let name = configuration.publicURL?.name { names.insert(name) }
        // Whoever makes a gateway listen on a name reaches it by that name.
        for own in [machineName, configuration.listen.host].compactMap(\.self) {
            guard let authority = WebAuthority(own), !authority.isAddress else { continue }
            names.insert(authority.name)
        }
        self.names = names
    }

    /// Where a request was sent to, as its sender sees it.
    struct Target: Sendable {
        /// What stands in `Host`, then what trusted proxies say that it was before them, with the names of the headers.
        fileprivate var hosts: [(header: String, text: String)]
        /// `nil` when the request does not name its host, or names none.
        fileprivate var origin: WebOrigin?
    }

    /// - Parameter peer: the address at the other end of the connection.
    func target(of request: HTTPRequest, peer: String?) -> Target {
        var target = Target(hosts: [])
        if let host = request.authority { target.hosts.append(("Host", host)) }
        var scheme = WebOrigin.Scheme.http
        var visible = request.authority
        if isTrusted(peer) {
            let hosts = Self.list(request.headerFields, .forwardedHost)
            target.hosts += hosts.map { ("X-Forwarded-Host", $0) }
            // The first value is the one of the proxy that the client spoke to.
            visible = hosts.first ?? visible
            scheme =
                Self.list(request.headerFields, .forwardedProto).first.flatMap {
                    WebOrigin.Scheme(rawValue: $0.lowercased())
                }
                ?? scheme
        }
        target.origin = visible.flatMap { WebAuthority($0) }.map { WebOrigin(scheme, $0) }
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

    /// What is wrong with the name that the request calls this gateway by; `nil` when it is allowed.
    ///
    /// IP addresses are: rebinding needs a name. A request of HTTP/1.0 may lack `Host`, and no browser sends such a one.
    func hostProblem(_ target: Target) -> Problem? {
        for (header, text) in target.hosts {
            guard let authority = WebAuthority(text) else {
                return misdirected("the \(header) header is \"\(text.prefix(100))\", which is not a host", name: nil)
            }
            guard !isAllowed(authority) else { continue }
            return misdirected(
                "the \(header) header is \(text.prefix(100)), which is not a name of this gateway",
                name: authority.name
            )
        }
        return nil
    }

    private func isAllowed(_ authority: WebAuthority) -> Bool {
        authority.isAddress || names.contains(authority.name) || authority.name.hasSuffix(".localhost")
    }

    /// The names that are allowed are not listed: a page under a rebound name can read this answer.
    private func misdirected(_ detail: String, name: String?) -> Problem {
        Problem(
            .misdirectedRequest,
            "HOST_NOT_ALLOWED",
            detail
                + "; IP addresses, localhost, the name of its machine, the host of PUBLIC_URL and the names in ALLOWED_HOSTS are"
                + (name.map { ": to allow this one, start the gateway with ALLOWED_HOSTS=\($0.prefix(100))" } ?? "")
        )
    }

    // MARK: The origin of changes

    /// Whether a request with that method can change something.
    static func isChange(_ method: HTTPRequest.Method) -> Bool {
        method != .get && method != .head && method != .options
    }

    /// What speaks against a request that would change something; `nil` when it comes from a page of this gateway, or from no page.
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
            return foreign("the request has Origin: \(shown), which is not the origin of a page of this gateway")
        }
        guard origin != target.origin, origin != publicURL else { return nil }
        let own = target.origin.map { ", and the request was sent to \($0)" } ?? ""
        return foreign(
            "the request has Origin: \(origins[0].prefix(100))\(own). If that is where browsers find this gateway, start it with "
                + "PUBLIC_URL=\(origin), or name the proxies before it in TRUSTED_PROXIES"
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
