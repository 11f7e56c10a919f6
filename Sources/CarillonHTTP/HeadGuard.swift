internal import NIOCore
internal import NIOHTTP1

/// Checks properties of an HTTP/1 head that the version-independent types do not have: whether the connection ends with the
/// response (RFC 9112, section 9.3), and whether the request has exactly one valid host (section 3.2).
final class HeadGuard: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias InboundOut = HTTPServerRequestPart

    private var isRefused = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isRefused else { return }
        guard case .head(var head) = unwrapInboundIn(data) else { return context.fireChannelRead(data) }
        let isOld = head.version != .http1_1
        guard HeadGuard.namesItsHost(&head) else {
            isRefused = true
            context.fireUserInboundEventTriggered(HostProblem())
            // An error that the server answers with 400.
            return context.fireErrorCaught(HTTPParserError.invalidHeaderToken)
        }
        // The parser stops after a request to switch protocols, which is not supported.
        let isForeign = head.method == .CONNECT || head.headers.contains(name: "Upgrade")
        guard isOld || isForeign || !head.isKeepAlive else { return context.fireChannelRead(data) }
        // HTTP/1.0 clients may wait for the end of the connection, whatever length the response has.
        head.headers.replaceOrAdd(name: "Connection", value: "close")
        // RFC 9110, section 10.1.1.
        if isOld { head.headers.remove(name: "Expect") }
        context.fireChannelRead(wrapInboundOut(.head(head)))
    }

    /// Whether the request names its host as its version requires. The authority of an absolute URL (RFC 9112, section 3.2.2) must
    /// equal `Host`, because the responder does not see the authority.
    private static func namesItsHost(_ head: inout HTTPRequestHead) -> Bool {
        let hosts = head.headers["Host"]
        let authority = authority(of: head.uri)
        if hosts.isEmpty, head.version != .http1_1 {
            if let authority { head.headers.add(name: "Host", value: String(authority)) }
            return authority.map { isHost([String($0)]) } ?? true
        }
        return isHost(hosts) && (authority == nil || authority?.lowercased() == hosts[0].lowercased())
    }

    /// The authority of an absolute URL; `nil` when the target is a path.
    private static func authority(of uri: String) -> Substring? {
        guard uri.utf8.first != UInt8(ascii: "/"), let colon = uri.utf8.firstIndex(of: UInt8(ascii: ":")),
            uri[colon...].hasPrefix("://")
        else { return nil }
        return uri[colon...].dropFirst(3).prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    }

    /// Whether there is one host, optionally with a port, with the characters of RFC 3986, section 3.2.2. It may be empty.
    private static func isHost(_ values: [String]) -> Bool {
        guard values.count == 1 else { return false }
        return values[0].utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                true
            default: "-._~%!$&'()*+,;=:[]".utf8.contains(byte)
            }
        }
    }
}

/// An HTTP/1.1 request has no host, more than one, or an invalid one.
struct HostProblem {}

@available(*, unavailable)
extension HeadGuard: Sendable {}
