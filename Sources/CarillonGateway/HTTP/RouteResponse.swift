internal import CarillonJSON
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

/// The response to a request.
struct RouteResponse: Sendable {
    enum Content: Sendable {
        case none
        case json(JSONValue)
        case text(String, type: String)
        /// A buffer that is built once and sent for many requests.
        case buffer(ByteBuffer, type: String)
    }

    var status: HTTPResponse.Status = .ok
    var content: Content
    var headers: HTTPFields = [:]

    init(_ status: HTTPResponse.Status = .ok, _ content: Content, headers: HTTPFields = [:]) {
        self.status = status
        self.content = content
        self.headers = headers
    }

    init(_ status: HTTPResponse.Status = .ok, json: JSONValue, headers: HTTPFields = [:]) {
        self.init(status, .json(json), headers: headers)
    }

    init(_ problem: Problem) {
        let text = JSONText.write(problem.document)
        self.init(problem.status, .text(text, type: Problem.contentType), headers: problem.headers)
    }

    /// Keep pages of other origins from loading, interpreting or framing a response. HTML pages set their own policy.
    static let protection: HTTPFields = [
        .crossOriginResourcePolicy: "same-origin", .xContentTypeOptions: "nosniff", .frameOptions: "DENY",
        .contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'",
    ]

    /// - Parameter isHead: whether the body is left out. Content-Length stays.
    func response(isHead: Bool) -> Response {
        var headers = headers
        for field in RouteResponse.protection where headers[field.name] == nil { headers.append(field) }
        if headers[.cacheControl] == nil { headers[.cacheControl] = "no-store" }
        let body: ByteBuffer
        switch content {
        case .none: return Response(status: status, headers: headers)
        case .json(let value):
            headers[.contentType] = "application/json"
            body = ByteBuffer(bytes: JSONText.bytes(of: value))
        case .text(let text, let type):
            headers[.contentType] = type
            body = ByteBuffer(string: text)
        case .buffer(let buffer, let type):
            headers[.contentType] = type
            body = buffer
        }
        headers[.contentLength] = String(body.readableBytes)
        return Response(
            status: status,
            headers: headers,
            body: isHead ? ResponseBody() : ResponseBody(byteBuffer: body)
        )
    }
}

extension HTTPField.Name {
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let link = HTTPField.Name("Link")!
    static let totalCount = HTTPField.Name("X-Total-Count")!
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let traceParent = HTTPField.Name("traceparent")!
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let frameOptions = HTTPField.Name("X-Frame-Options")!
}
