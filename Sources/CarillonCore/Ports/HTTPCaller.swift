/// A call that the HTTP client is to make now.
package struct HTTPRequest: Sendable, Hashable {
    package var token: DispatchToken
    package var method: String
    package var url: String
    /// All of them, in order; the caller adds none but Host, Content-Length and what the connection needs.
    package var headers: [HTTPHeader]
    package var body: String?
    /// From the hand-over to the last byte of the answer.
    package var timeoutMs: Int
    package var connectTimeoutMs: Int
    /// A fresh connection, never reused: libcurl repeats a request on a reused connection that closed early. The request leaves
    /// at most once.
    package var atMostOnce: Bool
    /// Bytes of the answer's body that are kept. The rest is read and dropped: how a call is judged does not depend on what
    /// is kept of its answer.
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
    /// What the TLS handshake agrees on; HTTP/1.1 without TLS.
    case automatic
    case http1
    /// Over TLS when the target agrees; without TLS in any case.
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
    /// What arrived of the answer's body, also of an answer that failed: valid UTF-8 without NUL, at most the request's limit.
    /// Content that is not text is a URL of the scheme `data` with the content in base64.
    package var response: String?
    /// One sentence: what failed, against what. It holds no text of the answer, except for the Location of a redirect.
    package var errorMessage: String?
    /// One sentence for the log, of an answer that was not as it should be.
    package var remark: String?
    /// Of 429 and 503: what Retry-After asks for, seconds or HTTP date (RFC 9110, section 10.2.3), in milliseconds.
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
    /// Hands the calls over; each ends in exactly one result, delivered in batches to the closure given at creation.
    func start(_ requests: [HTTPRequest])
    /// Stops calls that still run: they end as `cancelled`. Unknown tokens are ignored.
    func cancel(_ tokens: [DispatchToken])
    /// Stops the client's thread once nothing runs any more.
    func shutdown()
}
