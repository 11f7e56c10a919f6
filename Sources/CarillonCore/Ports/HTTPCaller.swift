/// A call that the HTTP client makes immediately.
package struct HTTPRequest: Sendable, Hashable {
    package var token: DispatchToken
    package var method: String
    package var url: String
    /// All headers, in order. The HTTP client adds only Host, Content-Length and the headers that the connection needs.
    package var headers: [HTTPHeader]
    package var body: String?
    /// Measured from the hand-over to the client until the last byte of the response.
    package var timeoutMs: Int
    package var connectTimeoutMs: Int
    /// Use a new connection: libcurl repeats a request when a reused connection closed early. With a new connection the
    /// request is sent at most once.
    package var atMostOnce: Bool
    /// How many bytes of the response body are kept. The rest is read and dropped; the outcome does not depend on this
    /// limit.
    package var responseLimit: Int
    package var httpVersion: HTTPVersion

    package init(
        token: DispatchToken,
        method: String,
        url: String,
        headers: [HTTPHeader],
        body: String?,
        timeoutMs: Int,
        connectTimeoutMs: Int,
        atMostOnce: Bool,
        responseLimit: Int,
        httpVersion: HTTPVersion = .automatic
    ) {
        self.token = token
        self.method = method
        self.url = url
        self.headers = headers
        self.body = body
        self.timeoutMs = timeoutMs
        self.connectTimeoutMs = connectTimeoutMs
        self.atMostOnce = atMostOnce
        self.responseLimit = responseLimit
        self.httpVersion = httpVersion
    }
}

/// The version of HTTP that a request is sent with.
package enum HTTPVersion: Sendable, Hashable, CaseIterable {
    /// The version negotiated in the TLS handshake; HTTP/1.1 without TLS.
    case automatic
    case http1
    /// With TLS, HTTP/2 if the target supports it; without TLS, always HTTP/2.
    case http2
}

/// How a call ended.
package struct HTTPResult: Sendable, Hashable {
    package var token: DispatchToken
    /// `answered`, `failed`, `notSent` or `cancelled`.
    package var kind: OutcomeKind
    /// When the request was handed to the client.
    package var startedAt: BootTime
    package var durationMicroseconds: UInt64
    package var httpStatus: Int?
    /// The part of the response body that arrived, also of a failed call: valid UTF-8 without NUL, at most
    /// `responseLimit` bytes. A body that is not text is stored as a `data` URL with base64 content.
    package var response: String?
    /// One sentence: the failure and the target. No text of the response except the Location header of a redirect.
    package var errorMessage: String?
    /// One sentence for the log about an unusual response, such as a very long one.
    package var remark: String?
    /// The Retry-After header of a 429 or 503 response (seconds or HTTP date; RFC 9110, section 10.2.3), in
    /// milliseconds.
    package var retryAfterMs: UInt64?

    package init(
        token: DispatchToken,
        kind: OutcomeKind,
        startedAt: BootTime,
        durationMicroseconds: UInt64,
        httpStatus: Int? = nil,
        response: String? = nil,
        errorMessage: String? = nil,
        retryAfterMs: UInt64? = nil
    ) {
        self.token = token
        self.kind = kind
        self.startedAt = startedAt
        self.durationMicroseconds = durationMicroseconds
        self.httpStatus = httpStatus
        self.response = response
        self.errorMessage = errorMessage
        self.retryAfterMs = retryAfterMs
    }
}

/// The HTTP client of a worker.
package protocol HTTPCaller: Sendable {
    /// Starts the calls. Each call ends in exactly one result, delivered in batches to the closure passed at creation.
    func start(_ requests: [HTTPRequest])
    /// Cancels running calls; they end as `cancelled`. Unknown tokens are ignored.
    func cancel(_ tokens: [DispatchToken])
    /// Stops the client's thread when no call is running.
    func shutdown()
}
