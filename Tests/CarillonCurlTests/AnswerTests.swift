import CarillonCore
import CarillonCurl
import Glibc
import Testing

@testable import CarillonCurl

/// Invalid responses.
@Suite("Answers", .timeLimit(.minutes(1)))
struct AnswerTests {
    private func call(
        _ answer: String,
        closes: Bool = true,
        method: String = "POST",
        timeoutMs: Int = 20_000,
        responseLimit: Int = 4_096
    ) async throws -> HTTPResult {
        try await call(Array(answer.utf8), closes, method, timeoutMs, responseLimit)
    }

    private func call(
        _ answer: [UInt8],
        _ closes: Bool,
        _ method: String,
        _ timeoutMs: Int,
        _ responseLimit: Int
    ) async throws -> HTTPResult {
        let target = try await RawTarget.start(bytes: answer, closes: closes)
        let bench = CallerBench()
        let request = bench.request(
            "http://127.0.0.1:\(target.port)/",
            method: method,
            timeoutMs: timeoutMs,
            responseLimit: responseLimit
        )
        let result = await bench.call(request)
        try await target.stop()
        return result
    }

    // MARK: The end of a response

    @Test(
        "a response that ends early is a failure, however much of it is kept",
        arguments: [9, 4_096, 4_097, 5_000, 5_999],
        [(0, true), (4_096, true), (10_000, true), (4_096, false)]
    )
    func incomplete(bytes: Int, how: (limit: Int, closes: Bool)) async throws {
        let body = String(repeating: "x", count: bytes)
        let result = try await call(
            "HTTP/1.1 200 OK\r\nContent-Length: 6000\r\n\r\n\(body)",
            closes: how.closes,
            timeoutMs: how.closes ? 20_000 : 4_000,
            responseLimit: how.limit
        )
        #expect(result.kind == .failed)
        #expect(result.httpStatus == 200)
        #expect(result.response == String(body.prefix(how.limit)))
        let why = how.closes ? "\(6_000 - bytes) bytes remaining" : "was not complete after"
        #expect(result.errorMessage?.contains(why) == true, "\(result.errorMessage ?? "")")
    }

    @Test("a response that never ends is a failure")
    func endless() async throws {
        let result = try await call(
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n20000\r\n\(String(repeating: "x", count: 0x20000))\r\n",
            closes: false,
            timeoutMs: 4_000
        )
        #expect(result.kind == .failed)
        #expect(result.errorMessage?.contains("131072 bytes") == true, "\(result.errorMessage ?? "")")
    }

    @Test("an overlong response is a failure, and the rest is not read", arguments: [true, false])
    func tooLong(isAnnounced: Bool) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result =
            isAnnounced
            ? try await call("HTTP/1.1 200 OK\r\nContent-Length: 100000000000\r\n\r\nbegin", closes: false)
            : await bench.call(bench.request("\(server.url)/chunks/70000000"))
        #expect(result.kind == .failed)
        #expect(result.httpStatus == 200)
        #expect(result.errorMessage?.contains("is longer than 64 MiB") == true, "\(result.errorMessage ?? "")")
        #expect(result.response?.isEmpty == false)
        await server.stop()
    }

    @Test(
        "a response of unknown length is a failure (RFC 9112, section 6.3)",
        arguments: [
            "Content-Length: 5\r\nContent-Length: 6", "Content-Length: 6\r\nContent-Length: 5", "Content-Length: 5, 6",
            "Content-Length: 5x", "Content-Length: 99999999999999999999", "Content-Length: 5,", "Content-Length: x",
            "Content-Length: -5",
        ],
        ["", "secret"]
    )
    func lengths(headers: String, body: String) async throws {
        let lengths = "HTTP/1.1 200 OK\r\n" + headers
        let result = try await call("\(lengths)\r\n\r\n\(body.prefix(5))")
        #expect(result.kind == .failed)
        #expect(result.httpStatus == 200)
        let message = try #require(result.errorMessage)
        #expect(message.contains("Content-Length"), "\(message)")
        #expect(!message.contains("secre"))
    }

    @Test(
        "equal lengths count as one length",
        arguments: ["Content-Length: 2\r\nContent-Length: 2", "Content-Length: 2, 2"]
    )
    func repeatedLength(headers: String) async throws {
        let result = try await call("HTTP/1.1 200 OK\r\n\(headers)\r\n\r\nok")
        #expect(result.kind == .answered, "\(result.errorMessage ?? "")")
        #expect(result.response == "ok")
    }

    @Test(
        "the length of a response without a body is not checked",
        arguments: [("HEAD", 200), ("POST", 204), ("POST", 304)]
    )
    func withoutBody(method: String, status: Int) async throws {
        let result = try await call(
            "HTTP/1.1 \(status) X\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            method: method
        )
        #expect(result.kind == .answered, "\(result.errorMessage ?? "")")
        #expect(result.httpStatus == status)
    }

    @Test("the received part of a failed response is kept and used", arguments: [true, false])
    func retryAfter(closes: Bool) async throws {
        let result = try await call(
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 120\r\nContent-Length: 1000\r\n\r\nnot now, ",
            closes: closes,
            timeoutMs: closes ? 20_000 : 4_000
        )
        #expect(result.kind == .failed)
        #expect(result.httpStatus == 503)
        #expect(result.retryAfterMs == 120_000)
        #expect(result.response == "not now, ")
        #expect(result.errorMessage?.contains("not now") == false)
    }

    // MARK: Reasons

    @Test(
        "the error for a response that libcurl refuses has libcurl's reason and no text of the response",
        arguments: [
            (
                "HTTP/1.1 200 OK\r\n\(String(repeating: "X-A: secret\r\n", count: 40_000))\r\n",
                "Too large response headers"
            ),
            ("HTTP/1.1 200 OK\r\nContent-Length: secret\r\n\r\n", "Invalid Content-Length"),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nsecret\r\n", "chunked-encoding"),
            ("HTTP/1.1 200 OK\r\nX-A: secret\u{0}\r\n\r\n", "Nul byte in header"),
            ("HTTP/1.1 200 OK\r\nsecret\r\n\r\n", "Header without colon"),
            ("HTTP/1.1 secret\r\n\r\n", "is not HTTP/1.1"), ("HTTP/9.9 200 secret\r\n\r\n", "Unsupported HTTP version"),
        ]
    )
    func reasons(answer: String, reason: String) async throws {
        let result = try await call(answer, closes: false, timeoutMs: 5_000)
        #expect(result.kind == .failed)
        let message = try #require(result.errorMessage)
        #expect(message.contains(reason), "\(message)")
        #expect(!message.contains("secret"), "\(message)")
    }

    @Test(
        "the error for an overlong line of the head names it",
        arguments: ["HTTP/1.1 200 OK\r\nX-A: ", "HTTP/1.1 200 "]
    )
    func longLine(beginning: String) async throws {
        let result = try await call(
            beginning + String(repeating: "s", count: 400_000),
            closes: false,
            timeoutMs: 20_000
        )
        #expect(result.kind == .failed)
        #expect(result.errorMessage?.contains("head is too large (100 KiB)") == true, "\(result.errorMessage ?? "")")
    }

    @Test("a flood of interim responses fails with a reason")
    func interimFlood() async throws {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: secret\r\n\r\n"
        let result = try await call(String(repeating: interim, count: 20_000), closes: false, timeoutMs: 5_000)
        #expect(result.kind == .failed)
        #expect(result.httpStatus == nil)
        #expect(result.errorMessage?.contains("Too large response headers") == true, "\(result.errorMessage ?? "")")
    }

    @Test("an interim response alone is not a response", arguments: [100, 102, 103], [true, false])
    func interim(status: Int, closes: Bool) async throws {
        let result = try await call(
            "HTTP/1.1 \(status) Wait\r\nLink: secret\r\n\r\n",
            closes: closes,
            timeoutMs: closes ? 20_000 : 4_000
        )
        #expect(result.kind == .failed)
        #expect(result.httpStatus == nil)
        #expect(result.response == nil)
        #expect(
            result.errorMessage?.contains("only the interim status \(status) was received") == true,
            "\(result.errorMessage ?? "")"
        )
    }

    @Test("an interim response before the final one is ignored")
    func interimBefore() async throws {
        let result = try await call("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        #expect(result.kind == .answered)
        #expect(result.httpStatus == 200)
        #expect(result.response == "ok")
    }

    @Test("a status outside HTTP's range is a failure", arguments: [600, 999])
    func strangeStatus(status: Int) async throws {
        let result = try await call("HTTP/1.1 \(status) Denied\r\nContent-Length: 2\r\n\r\nno")
        #expect(result.kind == .failed)
        #expect(result.httpStatus == nil)
        #expect(result.response == "no")
        #expect(result.errorMessage?.contains("\(status)") == true)
    }

    @Test(
        "the error for a redirect has its location in visible ASCII; 304 is not a redirect",
        arguments: [
            (301, "/b?c=d", "a redirect to /b?c=d; redirects are not followed"),
            (308, "https://b.example/ä\u{1B}[1m", "a redirect to https://b.example/%C3%A4%1B[1m;"),
            (302, nil, "a redirect without a Location"), (304, nil, "status 304; 200 to 299 is success"),
            (300, "/b", "status 300; 200 to 299 is success"),
        ]
    )
    func redirects(status: Int, location: String?, text: String) async throws {
        let header = location.map { "Location: \($0)\r\n" } ?? ""
        let result = try await call("HTTP/1.1 \(status) X\r\n\(header)Content-Length: 0\r\n\r\n")
        #expect(result.kind == .answered)
        #expect(result.httpStatus == status)
        let message = try #require(result.errorMessage)
        #expect(message.contains(text), "\(message)")
        #expect(status != 304 || !message.contains("redirect"))
    }

    // MARK: Sockets

    @Test("connections have keep-alive probes, and no TCP_USER_TIMEOUT, which would end a slow reader's connection")
    func socketOptions() {
        let socket = OutgoingSocket.open(
            family: AF_INET,
            type: Int32(SOCK_STREAM.rawValue),
            protocol: Int32(IPPROTO_TCP)
        )
        defer { close(socket) }
        func option(_ level: Int32, _ name: Int32) -> Int32 {
            var (value, size) = (Int32(-1), socklen_t(4))
            getsockopt(socket, level, name, &value, &size)
            return value
        }
        #expect(option(SOL_SOCKET, SO_KEEPALIVE) == 1)
        #expect(option(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT) == 0)
        // Earlier than NATs and load balancers drop a silent connection.
        #expect(1..<350 ~= option(Int32(IPPROTO_TCP), TCP_KEEPIDLE))
        #expect(option(Int32(IPPROTO_TCP), TCP_KEEPINTVL) > 0)
        #expect(option(Int32(IPPROTO_TCP), TCP_KEEPCNT) > 1)
    }

    @Test("requests of different periods do not share a connection; each target has its own periods")
    func generations() {
        let options = ConnectionOptions(maxAgeSeconds: 60)
        func seen(_ url: String) -> [Int] {
            (0..<360).map { options.generation(at: $0 * 1_000_000_000, url: url, atMostOnce: false) }
        }
        let target = seen("https://a.example/x")
        #expect(target == seen("https://a.example/y"))
        #expect(target.prefix(180) == target.suffix(180))
        let changes = target.indices.dropFirst().filter { target[$0] != target[$0 - 1] }
        #expect(zip(changes, changes.dropFirst()).allSatisfy { $1 - $0 == 60 })
        #expect(Set(target).count == 3)
        #expect(!target.contains(options.generation(at: 0, url: "https://a.example/x", atMostOnce: true)))
        #expect(target != seen("https://b.example/x"))
        #expect(Set(seen("http://a.example/x")) == [0])
    }
}
