internal import CCurl
internal import CarillonCore
internal import Glibc

/// What came of a request.
extension Transfer {
    /// The end, as libcurl tells it.
    func result(_ code: CURLcode, at now: Int64) -> HTTPResult {
        let status = carillon_response_code(handle)
        // An answer that was read as far as it is kept is an answer, however the rest of it came to its end.
        let isAnswered = status > 0 && (code == CURLE_OK || isAbandoned || receivedBytes > responseLimit)
        guard isAnswered else { return failure(code, status: status > 0 ? status : nil, at: now) }
        var result = blank(.answered, at: now)
        result.httpStatus = status
        if isAbandoned {
            result.remark =
                "the answer of \(Target(url)) (status \(status)) was given up after \(receivedBytes) bytes; "
                + "\(responseLimit) of it are kept"
        }
        result.response = ResponseText.text(body, isCut: isCut, limit: responseLimit)
        if status == 429 || status == 503, let asked = header("Retry-After") {
            let date = header("Date").flatMap(RetryAfter.date)
            result.retryAfterMs = RetryAfter.milliseconds(asked, now: date ?? Int64(time(nil)))
        }
        return result
    }

    func cancelledResult(at now: Int64) -> HTTPResult {
        var result = blank(.cancelled, at: now)
        result.errorMessage = "the call of \(Target(url)) was cancelled after \(elapsed(now))"
        return result
    }

    private func failure(_ code: CURLcode, status: Int?, at now: Int64) -> HTTPResult {
        var result = blank(isCertainlyUnsent(code) ? .notSent : .failed, at: now)
        result.httpStatus = status
        result.errorMessage = message(code, status: status, at: now)
        if status != nil { result.remark = result.errorMessage }
        return result
    }

    private func blank(_ kind: OutcomeKind, at now: Int64) -> HTTPResult {
        HTTPResult(
            token: token,
            kind: kind,
            startedAt: BootTime(nanoseconds: startedAt),
            durationMicroseconds: UInt64(max(0, now - startedAt) / 1_000)
        )
    }

    /// The first header of that name in the answer.
    private func header(_ name: String) -> String? {
        var found: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(handle, name, 0, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK, let found else {
            return nil
        }
        return String(cString: found.pointee.value)
    }

    // MARK: Failures

    private var isTLS: Bool { url.prefix(6).lowercased() == "https:" }

    /// Whether the connection never came to the point where a request could be sent on it.
    private var isConnected: Bool {
        isTLS ? carillon_tls_us(handle) > 0 : carillon_connect_us(handle) > 0
    }

    /// Only what ends before there is a connection, and only while libcurl has counted no byte of a request: it counts over all
    /// connections that one transfer tries. When in doubt, something was sent.
    private func isCertainlyUnsent(_ code: CURLcode) -> Bool {
        guard carillon_request_bytes(handle) == 0, carillon_response_code(handle) == 0 else { return false }
        switch code {
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT,
            CURLE_FAILED_INIT, CURLE_BAD_FUNCTION_ARGUMENT:
            return true
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_INVALIDCERTSTATUS,
            CURLE_SSL_PINNEDPUBKEYNOTMATCH, CURLE_OPERATION_TIMEDOUT, CURLE_OUT_OF_MEMORY:
            return !isConnected
        default:
            return false
        }
    }

    /// One sentence: what failed, against what, after how long.
    private func message(_ code: CURLcode, status: Int?, at now: Int64) -> String {
        let target = Target(url)
        if let refusedAddress, code == CURLE_COULDNT_CONNECT {
            return
                "\(target) is not called, because its address \(refusedAddress) is link-local or a cloud's metadata service"
        }
        if let status {
            let why = code == CURLE_OPERATION_TIMEDOUT ? "was not complete" : "broke off"
            return "the answer of \(target) (status \(status)) \(why) after \(elapsed(now)) and \(receivedBytes) bytes"
        }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return "the name of \(target) could not be resolved (\(elapsed(now)))"
        case CURLE_COULDNT_CONNECT:
            return "no connection to \(target) after \(elapsed(now)): \(systemError)"
        case CURLE_OPERATION_TIMEDOUT:
            if carillon_request_bytes(handle) > 0 { return "no answer from \(target) within \(elapsed(now))" }
            if carillon_new_connections(handle) > 0, isTLS {
                return "no TLS handshake with \(target) within \(elapsed(now))"
            }
            let missing = carillon_resolve_us(handle) > 0 ? "no connection to" : "no address for"
            return "\(missing) \(target) within \(elapsed(now))"
        case CURLE_GOT_NOTHING:
            return "\(target) closed the connection without an answer after \(elapsed(now))"
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR:
            return "the connection to \(target) broke before an answer after \(elapsed(now)): \(detail(code))"
        case CURLE_UNSUPPORTED_PROTOCOL where carillon_request_bytes(handle) > 0:
            return "what \(target) answered after \(elapsed(now)) is not HTTP/1.1"
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION:
            return "TLS with \(target) failed after \(elapsed(now)): \(detail(code))"
        default:
            return "the call of \(target) failed after \(elapsed(now)): \(detail(code))"
        }
    }

    private func elapsed(_ now: Int64) -> String {
        "\(max(0, now - startedAt) / 1_000_000) ms"
    }

    private func detail(_ code: CURLcode) -> String {
        if errorText[0] != 0 { return String(cString: errorText) }
        return String(cString: curl_easy_strerror(code))
    }

    private var systemError: String {
        switch Int32(carillon_os_error(handle)) {
        case ECONNREFUSED: "connection refused"
        case ENETUNREACH: "network unreachable"
        case EHOSTUNREACH: "host unreachable"
        case ETIMEDOUT: "timed out"
        case ECONNRESET: "connection reset"
        case EADDRNOTAVAIL: "no local port is free"
        case EMFILE, ENFILE: "no file descriptor is left (ulimit -n)"
        case 0: detail(CURLE_COULDNT_CONNECT)
        case let number: "system error \(number)"
        }
    }
}

/// host:port of a URL, for people.
private struct Target: CustomStringConvertible {
    let description: String

    init(_ url: String) {
        let isTLS = url.prefix(6).lowercased() == "https:"
        var rest = url[...]
        if let scheme = url.firstRange(of: "://") { rest = url[scheme.upperBound...] }
        let authority = rest.prefix { !"/?#".contains($0) }
        let hasPort = authority.last != "]" && authority.drop { $0 != "]" && authority.contains("]") }.contains(":")
        description = hasPort ? String(authority) : "\(authority):\(isTLS ? 443 : 80)"
    }
}
