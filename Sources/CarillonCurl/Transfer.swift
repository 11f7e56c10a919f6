internal import CCurl
internal import CarillonCore
internal import Glibc

/// One easy handle and the state of its request. Used for successive requests, on the loop's thread.
final class Transfer {
    let handle: UnsafeMutableRawPointer
    private let options: ConnectionOptions
    private(set) var request = Transfer.noRequest
    private(set) var startedAt: Int64 = 0
    private(set) var body: [UInt8] = []
    private(set) var receivedBytes = 0
    /// The last parsed Content-Type; the responses of a target mostly have the same.
    private var parsedType: (text: String, type: ContentType) = ("", ContentType(nil))
    /// The response was too long, and the rest was not read.
    private(set) var isTooLong = false
    /// The Content-Encoding of the current response.
    private(set) var codings: [Substring] = []
    /// How often the request was about to be sent. libcurl repeats it when a reused connection turns out to be dead, and when an
    /// HTTP/2 target refuses the stream.
    private(set) var sendings = 0
    /// The number of new connections up to the last sending; the next property says whether that sending had a new one.
    private var connections = 0
    private(set) var isOnNewConnection = false
    /// The target answered HTTP_1_1_REQUIRED over HTTP/2.
    private(set) var requiresHTTP1 = false
    /// The request was not sent again, because it may be sent only once.
    private(set) var isHeldBack = false
    private var repeats = 0
    /// The resolved address, if connections to it are not allowed.
    private(set) var refusedAddress: String?
    let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// A longer response is not read further and is a failure, because an endless response would occupy the network. The limit does
    /// not depend on RESPONSE_LIMIT, which must not change whether a call succeeds.
    static let longestAnswer = 64 << 20
    /// Memory that a handle keeps between requests.
    private static let idleCapacity = 64 << 10
    /// The limit of repeats of a request that an HTTP/2 target has not processed.
    private static let maxRepeats = 3
    private static let noRequest = HTTPRequest(
        token: DispatchToken(epoch: 0, sequence: 0),
        method: "",
        url: "",
        headers: [],
        body: nil,
        timeoutMs: 0,
        connectTimeoutMs: 0,
        atMostOnce: false,
        responseLimit: 0
    )

    /// `nil` when there is no memory.
    init?(_ options: ConnectionOptions) {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        self.options = options
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setUp()
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    var token: DispatchToken { request.token }
    var isCut: Bool { receivedBytes > body.count }
    var head: AnswerHead { AnswerHead(handle: handle) }

    /// The Content-Type of the response.
    var contentType: ContentType {
        guard let text = carillon_content_type(handle).map({ String(cString: $0) }) else { return ContentType(nil) }
        if text != parsedType.text { parsedType = (text, ContentType(text)) }
        return parsedType.type
    }

    /// Sets the options that are the same for all requests.
    private func setUp() {
        let own = Unmanaged.passUnretained(self).toOpaque()
        _ = carillon_set_private(handle, own)
        _ = carillon_set_protocols(handle, "http,https")
        _ = carillon_set_follow_location(handle, 0)
        _ = carillon_set_no_signal(handle, 1)
        // Otherwise a name server that does not answer would delay every call of this worker.
        _ = carillon_set_quick_exit(handle, 1)
        _ = carillon_set_proxy(handle, "")
        _ = carillon_set_no_proxy(handle, "*")
        _ = carillon_set_tls_verification(handle)
        if let file = options.authorities { _ = carillon_set_ca_file(handle, file) }
        _ = carillon_set_max_connection_age(handle, options.maxAgeSeconds)
        _ = carillon_set_name_cache_timeout(handle, options.nameSeconds)
        _ = carillon_set_error_buffer(handle, errorText)
        _ = carillon_set_write_function(
            handle,
            { bytes, size, count, context in
                guard let context, let bytes else { return 0 }
                let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                return transfer.received(UnsafeRawBufferPointer(start: bytes, count: size * count))
            },
            own
        )
        _ = carillon_set_open_socket_function(
            handle,
            { context, _, address in
                guard let context, let address else { return CURL_SOCKET_BAD }
                return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().openSocket(address)
            },
            own
        )
        _ = carillon_set_prerequest_function(
            handle,
            { context, _, _, _, _ in
                guard let context else { return CURL_PREREQFUNC_OK }
                let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
                return transfer.maySend() ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            },
            own
        )
    }

    // MARK: One request

    /// - Parameter wantsHTTP1: whether the target is known to refuse HTTP/2.
    func begin(_ request: HTTPRequest, wantsHTTP1: Bool, at now: Int64) {
        self.request = request
        startedAt = now
        repeats = 0
        (requiresHTTP1, isHeldBack) = (false, false)
        forgetAnswer()
        _ = carillon_set_url(handle, request.url)
        setMethod(request.method, body: request.body)
        headers = HeaderList.make(request)
        _ = carillon_set_headers(handle, headers)
        _ = carillon_set_timeout_ms(handle, max(1, request.timeoutMs))
        _ = carillon_set_connect_timeout_ms(handle, max(1, request.connectTimeoutMs))
        let isOnce = request.atMostOnce ? 1 : 0
        _ = carillon_set_fresh_connect(handle, isOnce)
        _ = carillon_set_forbid_reuse(handle, isOnce)
        _ = carillon_set_ssl_options(
            handle,
            options.generation(at: now, url: request.url, atMostOnce: request.atMostOnce)
        )
        _ = carillon_set_http_version(handle, version(wantsHTTP1: wantsHTTP1))
    }

    private func version(wantsHTTP1: Bool) -> Int {
        switch request.httpVersion {
        case .automatic: wantsHTTP1 ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS
        case .http1: CURL_HTTP_VERSION_1_1
        case .http2:
            Target.isTLS(request.url) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
        }
    }

    /// Whether to send the request again at once on a new connection, because an HTTP/2 target ended the connection with GOAWAY before
    /// processing the request (RFC 9113, section 6.8). libcurl repeats only after REFUSED_STREAM, and reports GOAWAY as a framing error
    /// without text. A stream reset at the end of the connection looks the same, so an AT_LEAST_ONCE request may be repeated then too.
    func repeats(after code: CURLcode, at now: Int64) -> Bool {
        guard code == CURLE_HTTP2, errorText[0] == 0, receivedBytes == 0, carillon_response_code(handle) == 0,
            !request.atMostOnce, repeats < Self.maxRepeats
        else { return false }
        let leftMs = request.timeoutMs - Int(max(0, now - startedAt) / 1_000_000)
        guard leftMs > 0 else { return false }
        repeats += 1
        forgetAnswer()
        _ = carillon_set_timeout_ms(handle, leftMs)
        _ = carillon_set_fresh_connect(handle, 1)
        return true
    }

    private func forgetAnswer() {
        body.removeAll(keepingCapacity: true)
        receivedBytes = 0
        isTooLong = false
        codings = []
        (sendings, connections, isOnNewConnection) = (0, 0, false)
        refusedAddress = nil
        errorText[0] = 0
    }

    /// Called after the handle was removed from the multi handle.
    func end() {
        _ = carillon_set_headers(handle, nil)
        _ = carillon_clear_post_body(handle)
        curl_slist_free_all(headers)
        headers = nil
        if sendings > 1 || repeats > 0 {
            // libcurl counts repeats of a handle across its requests, and gives up after five.
            curl_easy_reset(handle)
            setUp()
        }
        if body.capacity > Self.idleCapacity { body = [] } else { body.removeAll(keepingCapacity: true) }
        request = Self.noRequest
    }

    private func setMethod(_ method: String, body: String?) {
        _ = carillon_set_no_body(handle, 0)
        _ = carillon_set_get(handle)
        if method == "HEAD" {
            _ = carillon_set_method(handle, nil)
            _ = carillon_set_no_body(handle, 1)
        } else if let body = body ?? (method == "POST" || method == "PUT" || method == "PATCH" ? "" : nil) {
            let count = body.utf8.count
            _ = body.withCString { carillon_set_post_body(handle, $0, count) }
            _ = carillon_set_method(handle, method == "POST" ? nil : method)
        } else {
            _ = carillon_set_method(handle, method == "GET" ? nil : method)
        }
    }

    // MARK: Callbacks of libcurl

    /// Returns the number of bytes taken; a smaller number than received ends the transfer.
    private func received(_ bytes: UnsafeRawBufferPointer) -> Int {
        if receivedBytes == 0 {
            // Without a defined length the rest may never arrive.
            guard head.lengthProblem == nil else { return 0 }
            codings = head.contentCodings
            isTooLong = head.length.map { $0 > Self.longestAnswer } ?? false
        }
        receivedBytes += bytes.count
        let limit = request.responseLimit
        let room = (codings.isEmpty || limit == 0 ? limit : limit + ResponseText.encodedExtra) - body.count
        if room > 0 { body.append(contentsOf: bytes.prefix(room)) }
        if receivedBytes > Self.longestAnswer { isTooLong = true }
        return isTooLong ? 0 : bytes.count
    }

    /// Called when a connection is ready. An AT_MOST_ONCE request is sent once, even if libcurl would repeat it.
    private func maySend() -> Bool {
        // The buffer holds the text of the previous failure. After HTTP_1_1_REQUIRED, libcurl 7 reports an empty reply.
        if sendings > 0, strstr(errorText, "HTTP_1_1_REQUIRED") != nil || strstr(errorText, "Empty reply") != nil {
            requiresHTTP1 = true
        }
        guard sendings == 0 || !request.atMostOnce else {
            isHeldBack = true
            return false
        }
        let total = carillon_new_connections(handle)
        (isOnNewConnection, connections) = (total > connections, total)
        sendings += 1
        return true
    }

    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        // The address is longer than its declared type, so it is read in place.
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
        let bytes = UnsafeRawPointer(address) + offset
        if let refused = RefusedAddress.text(of: bytes.assumingMemoryBound(to: sockaddr.self)) {
            refusedAddress = refused
            return CURL_SOCKET_BAD
        }
        return OutgoingSocket.open(
            family: address.pointee.family,
            type: address.pointee.socktype,
            protocol: address.pointee.protocol
        )
    }
}
