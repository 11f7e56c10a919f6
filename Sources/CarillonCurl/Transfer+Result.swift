internal import CCurl
internal import CarillonCore
internal import Glibc

/// The result of a request.
extension Transfer {
    /// The result for libcurl's completion code.
    func result(_ code: CURLcode, at now: Int64) -> HTTPResult {
        let status = status
        guard let status, code == CURLE_OK, framingProblem(status) == nil, 100...599 ~= status else {
            return failure(code, status: status, at: now)
        }
        var result = blank(.answered, at: now)
        result.httpStatus = status
        if 300...399 ~= status { result.errorMessage = redirection(status) }
        if receivedBytes - request.responseLimit > Self.remarkableBytes {
            result.remark =
                "the response of \(Target(request.url)) (status \(status)) has \(receivedBytes) bytes; "
                + "\(request.responseLimit) bytes are kept"
        }
        keepAnswer(in: &result)
        return result
    }

    /// A response that is longer than its kept part by this much is logged.
    private static let remarkableBytes = 1 << 20

    /// The status of the response; `nil` while there were only interim responses (RFC 9110, section 15.2). 101 is final, because only
    /// another protocol follows it.
    private var status: Int? {
        let status = carillon_response_code(handle)
        return status >= 200 || status == 101 ? status : nil
    }

    /// Why the length of the response is unknown, if it has a body (RFC 9112, section 6.3).
    private func framingProblem(_ status: Int) -> String? {
        let mayHaveBody = request.method != "HEAD" && status != 204 && status != 304
        return mayHaveBody ? head.lengthProblem : nil
    }

    /// Keeps the received part of a response that has a status.
    private func keepAnswer(in result: inout HTTPResult) {
        let isKept = !body.isEmpty && request.responseLimit > 0
        result.response = isKept ? keptText : ""
        guard result.httpStatus == 429 || result.httpStatus == 503, let asked = head.value("Retry-After") else {
            return
        }
        let date = head.value("Date").flatMap(RetryAfter.date)
        result.retryAfterMs = RetryAfter.milliseconds(asked, now: date ?? Int64(time(nil)))
    }

    private var keptText: String {
        let limit = request.responseLimit
        return ResponseText(bytes: body, isCut: isCut, type: contentType, codings: codings, limit: limit).text
    }

    private func redirection(_ status: Int) -> String {
        let isRedirect = [301, 302, 303, 307, 308].contains(status)
        guard isRedirect else { return "the target answered with status \(status); 200 to 299 is success" }
        let place = head.value("Location").map { " to \(Self.printable($0))" } ?? " without a Location"
        return
            "the target answered with status \(status), a redirect\(place); redirects are not followed, 200 to 299 is success"
    }

    /// Visible ASCII only, and at most a limited length.
    private static func printable(_ location: String) -> String {
        let longest = 500
        let digits = Array("0123456789ABCDEF".utf8)
        var text: [UInt8] = []
        for byte in location.utf8 {
            guard text.count < longest else { return String(decoding: text, as: UTF8.self) + "…" }
            text +=
                byte > 0x20 && byte < 0x7F
                ? [byte] : [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
        return String(decoding: text, as: UTF8.self)
    }

    func cancelledResult(at now: Int64) -> HTTPResult {
        var result = blank(.cancelled, at: now)
        result.errorMessage = "the call of \(Target(request.url)) was cancelled after \(elapsed(now))"
        return result
    }

    private func failure(_ code: CURLcode, status: Int?, at now: Int64) -> HTTPResult {
        var result = blank(isCertainlyUnsent(code) ? .notSent : .failed, at: now)
        result.errorMessage = message(code, status: status, at: now)
        guard let status else { return result }
        // libcurl accepts any three digits.
        result.httpStatus = status < 600 ? status : nil
        result.remark = result.errorMessage
        keepAnswer(in: &result)
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

    // MARK: Failures

    private var isTLS: Bool { Target.isTLS(request.url) }

    /// Whether a connection was established, so that a request could have been sent.
    private var isConnected: Bool {
        isTLS ? carillon_tls_us(handle) > 0 : carillon_connect_us(handle) > 0
    }

    /// Whether nothing was sent for certain: there was no connection, and libcurl counted no byte of a request on any connection of
    /// the transfer. In case of doubt, something was sent.
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

    /// A sentence with the failure, the target and the elapsed time.
    private func message(_ code: CURLcode, status: Int?, at now: Int64) -> String {
        let target = Target(request.url)
        if let refusedAddress, code == CURLE_COULDNT_CONNECT {
            return
                "\(target) is not called, because its address \(refusedAddress) is link-local or a cloud's metadata service"
        }
        if let status { return answerMessage(code, status: status, at: now) }
        if let refusal = refusal(code) { return "\(target) \(refusal)" }
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return "the name of \(target) could not be resolved (\(elapsed(now)))"
        case CURLE_COULDNT_CONNECT:
            return "no connection to \(target) after \(elapsed(now)): \(systemError)"
        case CURLE_OPERATION_TIMEDOUT:
            if carillon_request_bytes(handle) > 0 { return "no response from \(target) in \(elapsed(now))\(interim)" }
            if carillon_new_connections(handle) > 0, isTLS {
                return "no TLS handshake with \(target) within \(elapsed(now))"
            }
            let missing = carillon_resolve_us(handle) > 0 ? "no connection to" : "no address for"
            return "\(missing) \(target) within \(elapsed(now))"
        case CURLE_OK, CURLE_GOT_NOTHING:
            return "\(target) closed the connection without a response after \(elapsed(now))\(interim)"
        case CURLE_OUT_OF_MEMORY where carillon_request_bytes(handle) > 0:
            return "a line of the response head is too large (100 KiB), from \(target) after \(elapsed(now))"
        case CURLE_RECV_ERROR, CURLE_SEND_ERROR:
            return "the connection to \(target) broke before a response after \(elapsed(now)): \(detail(code))"
        case CURLE_UNSUPPORTED_PROTOCOL where carillon_request_bytes(handle) > 0:
            return "the response of \(target) after \(elapsed(now)) is not HTTP/1.1: \(detail(code))"
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION:
            return "TLS with \(target) failed after \(elapsed(now)): \(detail(code))"
        default:
            return "the call of \(target) failed after \(elapsed(now)): \(detail(code))"
        }
    }

    /// The message for a response that has started.
    private func answerMessage(_ code: CURLcode, status: Int, at now: Int64) -> String {
        let answer = "the response of \(Target(request.url)) (status \(status))"
        if let problem = framingProblem(status) {
            return "\(answer) has no defined length: \(problem) (RFC 9112, section 6.3)"
        }
        if isTooLong { return "\(answer) is longer than \(Self.longestAnswer >> 20) MiB; the rest was not read" }
        let extent = "after \(elapsed(now)) and \(receivedBytes) bytes"
        switch code {
        case CURLE_OK: return "\(answer) has an invalid status; valid are 100 to 599"
        case CURLE_OPERATION_TIMEDOUT: return "\(answer) was not complete \(extent)"
        case CURLE_OUT_OF_MEMORY: return "\(answer) broke off \(extent): a line of its head is too large (100 KiB)"
        default: return "\(answer) broke off \(extent): \(detail(code))"
        }
    }

    /// The reason when an HTTP/2 target refused the request; `nil` otherwise.
    private func refusal(_ code: CURLcode) -> String? {
        let once = "an AT_MOST_ONCE request is not sent again"
        if isHeldBack {
            return requiresHTTP1
                ? "refused the request over HTTP/2 (HTTP_1_1_REQUIRED); \(once), the next request uses HTTP/1.1"
                : "refused the request without processing it (HTTP/2 REFUSED_STREAM); \(once)"
        }
        if code == CURLE_HTTP2, errorText[0] == 0 {
            return "ended the HTTP/2 connection before a response (GOAWAY)"
        }
        // libcurl repeats for two reasons. On a new connection, a dead connection is not the reason.
        if isOnNewConnection, sendings > 1, strstr(errorText, "Connection died") != nil {
            return "refused the request \(sendings) times without processing it (HTTP/2 REFUSED_STREAM)"
        }
        return nil
    }

    /// A note about interim responses, for a response that has not started.
    private var interim: String {
        let status = carillon_response_code(handle)
        return status > 0 ? "; only the interim status \(status) was received" : ""
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
        case EADDRNOTAVAIL: "no free local port"
        case EMFILE, ENFILE: "no free file descriptor (ulimit -n)"
        case 0: detail(CURLE_COULDNT_CONNECT)
        case let number: "system error \(number)"
        }
    }
}
