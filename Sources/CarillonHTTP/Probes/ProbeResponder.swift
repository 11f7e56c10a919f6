internal import CarillonSystem
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

internal import struct HummingbirdCore.Request

/// The responses of the probe server, independent of sockets.
///
/// Answers under any `Host`, because Prometheus and Kubernetes use the names of service discovery. A web page whose name was
/// rebound to this address can therefore read the metrics; they contain no job, no URL and no response of a target.
struct ProbeResponder: Sendable {
    static let textType = "text/plain; charset=utf-8"

    struct Answer: Sendable, Equatable {
        var status: Int
        var contentType = ProbeResponder.textType
        /// The allowed methods, for a 405.
        var allow: String?
        var body: String
    }

    let registry: MetricsRegistry
    let ready: @Sendable () -> (Bool, String)

    /// Pages of other origins can send GET requests, but browsers withhold the response from them.
    static let protection: HTTPFields = [.crossOriginResourcePolicy: "same-origin", .xContentTypeOptions: "nosniff"]

    func response(to request: Request) -> Response {
        let answer = answer(method: request.head.method.rawValue, target: request.head.path ?? "/")
        let body = ByteBuffer(string: answer.body)
        var headers = Self.protection
        headers[.contentType] = answer.contentType
        headers[.contentLength] = String(body.readableBytes)
        headers[.cacheControl] = "no-store"
        if let allow = answer.allow { headers[.allow] = allow }
        return Response(
            status: HTTPResponse.Status(code: answer.status),
            headers: headers,
            body: request.head.method == .head ? ResponseBody() : ResponseBody(byteBuffer: body)
        )
    }

    /// - Parameter target: the target of the request line; a query and a slash at the end are ignored.
    func answer(method: String, target: String) -> Answer {
        var path = target.prefix { $0 != "?" && $0 != "#" }
        if path.count > 1, path.hasSuffix("/") { path.removeLast() }
        guard ["/metrics", "/livez", "/readyz", "/"].contains(path) else {
            return Answer(status: 404, body: "not found; the paths are /metrics, /livez and /readyz\n")
        }
        guard method == "GET" || method == "HEAD" else {
            return Answer(status: 405, allow: "GET, HEAD", body: "\(path) accepts GET and HEAD\n")
        }
        switch path {
        case "/metrics":
            return Answer(status: 200, contentType: MetricsRegistry.contentType, body: registry.render())
        case "/livez":
            return Answer(status: 200, body: "alive\n")
        case "/readyz":
            let (isReady, text) = ready()
            return Answer(status: isReady ? 200 : 503, body: text + "\n")
        default:
            return Answer(status: 200, body: "/metrics\n/livez\n/readyz\n")
        }
    }
}
