internal import CCurl
internal import CarillonCore
internal import Glibc

/// One easy handle and what belongs to its request. Used for one request after the other, on the loop's thread.
final class Transfer {
    let handle: UnsafeMutableRawPointer
    private(set) var token = Token(epoch: 0, sequence: 0)
    private(set) var url = ""
    private(set) var startedAt: Int64 = 0
    private(set) var body: [UInt8] = []
    private var limit = 0
    /// How often the request was about to be sent: libcurl repeats it where a connection that was used before turns out to be
    /// dead.
    private var sendings = 0
    private(set) var receivedBytes = 0
    /// The rest of the answer was too much to be read.
    private(set) var isAbandoned = false
    /// An address that was not connected to, because it is never called.
    private(set) var refusedAddress: String?
    let errorText: UnsafeMutablePointer<CChar>
    private var headers: UnsafeMutablePointer<curl_slist>?

    /// So much of an answer is read beyond the limit, for the sake of the connection, which could not be used again otherwise.
    private static let drainLimit = 64 << 10
    /// So long may bytes stay unacknowledged by the peer's kernel.
    private static let patienceMs: UInt32 = 30_000

    /// `nil` when there is no memory.
    init?() {
        guard let handle = curl_easy_init() else { return nil }
        self.handle = handle
        errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setUp()
    }

    deinit {
        curl_easy_cleanup(handle)
        curl_slist_free_all(headers)
        errorText.deallocate()
    }

    var responseLimit: Int { limit }
    var isCut: Bool { receivedBytes > body.count }

    /// What is the same for all requests.
    private func setUp() {
        let own = Unmanaged.passUnretained(self).toOpaque()
        _ = carillon_set_private(handle, own)
        _ = carillon_set_protocols(handle, "http,https")
        _ = carillon_set_follow_location(handle, 0)
        _ = carillon_set_no_signal(handle, 1)
        // Or one name server that does not answer would hold up every call of this worker.
        _ = carillon_set_quick_exit(handle, 1)
        _ = carillon_set_proxy(handle, "")
        _ = carillon_set_no_proxy(handle, "*")
        _ = carillon_set_tls_verification(handle)
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
                if let context { Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().sendings += 1 }
                return CURL_PREREQFUNC_OK
            },
            own
        )
    }

    // MARK: One request

    func begin(_ request: HTTPRequest, at now: Int64) {
        token = request.token
        url = request.url
        startedAt = now
        limit = request.responseLimit
        receivedBytes = 0
        sendings = 0
        isAbandoned = false
        refusedAddress = nil
        errorText[0] = 0
        _ = carillon_set_url(handle, request.url)
        setMethod(request.method, body: request.body)
        headers = HeaderList.make(request)
        _ = carillon_set_headers(handle, headers)
        _ = carillon_set_timeout_ms(handle, max(1, request.timeoutMs))
        _ = carillon_set_connect_timeout_ms(handle, max(1, request.connectTimeoutMs))
        let isOnce = request.atMostOnce ? 1 : 0
        _ = carillon_set_fresh_connect(handle, isOnce)
        _ = carillon_set_forbid_reuse(handle, isOnce)
        let version = request.atMostOnce ? CURL_HTTP_VERSION_1_1 : CURL_HTTP_VERSION_2TLS
        _ = carillon_set_http_version(handle, version)
    }

    /// After the handle was removed from the multi handle.
    func end() {
        _ = carillon_set_headers(handle, nil)
        _ = carillon_clear_post_body(handle)
        curl_slist_free_all(headers)
        headers = nil
        if sendings > 1 {
            // libcurl counts a handle's repetitions over all its requests, and gives the sixth up, whosever it is.
            curl_easy_reset(handle)
            setUp()
        }
        if body.capacity > Self.drainLimit { body = [] } else { body.removeAll(keepingCapacity: true) }
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

    // MARK: What libcurl calls

    /// Returns how many bytes were taken; fewer than there are end the transfer.
    private func received(_ bytes: UnsafeRawBufferPointer) -> Int {
        receivedBytes += bytes.count
        let room = limit - body.count
        if room > 0 { body.append(contentsOf: bytes.prefix(room)) }
        guard receivedBytes > limit else { return bytes.count }
        let length = Int(carillon_content_length(handle))
        if receivedBytes - limit > Self.drainLimit || (length >= 0 && length - limit > Self.drainLimit) {
            isAbandoned = true
            return 0
        }
        return bytes.count
    }

    private func openSocket(_ address: UnsafeMutablePointer<curl_sockaddr>) -> Int32 {
        // The address is longer than its declared type: it is read where it stands.
        let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) ?? 0
        let bytes = UnsafeRawPointer(address) + offset
        if let refused = RefusedAddress.text(of: bytes.assumingMemoryBound(to: sockaddr.self)) {
            refusedAddress = refused
            return CURL_SOCKET_BAD
        }
        let opened = socket(
            address.pointee.family,
            address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue),
            address.pointee.protocol
        )
        guard opened >= 0 else { return CURL_SOCKET_BAD }
        // A peer that vanished without a word: libcurl would keep the connection, and with HTTP/2 give it to others, until
        // the kernel gives up, which takes a quarter of an hour by default.
        var patience = Self.patienceMs
        setsockopt(
            opened,
            Int32(IPPROTO_TCP),
            TCP_USER_TIMEOUT,
            &patience,
            socklen_t(MemoryLayout.size(ofValue: patience))
        )
        return opened
    }
}
