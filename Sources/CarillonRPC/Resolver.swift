internal import CarillonRuntime
internal import Glibc
internal import NIOCore
internal import NIOPosix

/// Why a name could not be resolved.
struct ResolveError: Error, Sendable, CustomStringConvertible {
    var description: String
}

/// Resolves names to all their addresses, in the system's order of preference.
enum Resolver {
    static func addresses(of endpoint: HostPort, on loop: any EventLoop) -> EventLoopFuture<[SocketAddress]> {
        if let literal = try? SocketAddress(ipAddress: endpoint.host, port: endpoint.port) {
            return loop.makeSucceededFuture([literal])
        }
        return NIOThreadPool.singleton.runIfActive(eventLoop: loop) { try lookUp(endpoint) }
    }

    private static func lookUp(_ endpoint: HostPort) throws(ResolveError) -> [SocketAddress] {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_flags = AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var results: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &results)
        guard code == 0 else {
            throw ResolveError(description: "\(endpoint.host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(results) }
        var addresses: [SocketAddress] = []
        var next = results
        while let result = next {
            if let address = address(result.pointee), !addresses.contains(address) {
                addresses.append(address)
            }
            next = result.pointee.ai_next
        }
        guard !addresses.isEmpty else { throw ResolveError(description: "\(endpoint.host) has no address") }
        return addresses
    }

    private static func address(_ info: addrinfo) -> SocketAddress? {
        guard let raw = info.ai_addr else { return nil }
        switch info.ai_family {
        case AF_INET:
            return SocketAddress(UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in.self))
        case AF_INET6:
            return SocketAddress(UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in6.self))
        default: return nil
        }
    }
}
