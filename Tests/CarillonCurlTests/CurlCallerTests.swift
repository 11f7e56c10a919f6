import CarillonCore
import CarillonCurl
import Testing

@Suite("CurlCaller", .timeLimit(.minutes(2)))
struct CurlCallerTests {
    // MARK: Answers

    @Test("a call sends its method, headers and body unchanged, and nothing else")
    func success() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let headers = [
            HTTPHeader(name: "User-Agent", value: "Carillon/test"), HTTPHeader(name: "X-Empty", value: ""),
            HTTPHeader(name: "Content-Type", value: "application/json"),
        ]
        let result = await bench.call(
            bench.request("\(server.url)/answer/200", headers: headers, body: "{\"ä\":1}")
        )
        #expect(result.kind == .answered)
        #expect(result.httpStatus == 200)
        #expect(result.response == "hello")
        #expect(result.errorMessage == nil)
        #expect(result.durationMicroseconds > 0)
        let request = try #require(server.requests.first)
        #expect(request.method == "POST")
        #expect(request.body == "{\"ä\":1}")
        #expect(request.values("x-empty") == [""])
        #expect(
            Set(request.headers.map { $0.name.lowercased() })
                == ["host", "user-agent", "x-empty", "content-type", "content-length"]
        )
        await server.stop()
    }

    @Test(
        "every method is sent unchanged, with or without a body",
        arguments: ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"],
        [nil, "", "text"]
    )
    func methods(method: String, body: String?) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        // The later calls use the handle of the first, and must not inherit anything from it.
        _ = await bench.call(bench.request("\(server.url)/answer/200", method: "PUT", body: "before"))
        let result = await bench.call(bench.request("\(server.url)/answer/204", method: method, body: body))
        #expect(result.httpStatus == 204)
        _ = await bench.call(bench.request("\(server.url)/answer/200", method: "GET", body: nil))
        let requests = server.requests
        #expect(requests.map(\.method) == ["PUT", method, "GET"])
        #expect(requests.map(\.body) == ["before", method == "HEAD" ? "" : body ?? "", ""])
        #expect(server.connections == 1)
        await server.stop()
    }

    @Test("a status of an error is a response too", arguments: [400, 404, 500, 503])
    func statuses(status: Int) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result = await bench.call(bench.request("\(server.url)/answer/\(status)"))
        #expect(result.kind == .answered)
        #expect(result.httpStatus == status)
        #expect(result.response == "hello")
        await server.stop()
    }

    @Test("connections are reused")
    func keepAlive() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        for _ in 0..<20 { _ = await bench.call(bench.request("\(server.url)/answer/200")) }
        #expect(server.connections == 1)
        #expect(server.requests.count == 20)
        await server.stop()
    }

    @Test("redirects are not followed, and the error names them")
    func redirect() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result = await bench.call(bench.request("\(server.url)/redirect"))
        #expect(result.kind == .answered)
        #expect(result.httpStatus == 302)
        let message = try #require(result.errorMessage)
        #expect(message.contains("a redirect to \(server.url)/answer/200; redirects are not followed"), "\(message)")
        #expect(server.requests.count == 1)
        await server.stop()
    }

    @Test("connections end at their maximum age, even if they are never idle", arguments: [1, 2])
    func age(seconds: Int) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench(maxConnectionAgeSeconds: seconds))
        // Calls follow each other without a pause.
        while server.connections < 2 {
            let result = await bench.call(bench.request("\(server.url)/answer/200"))
            #expect(result.kind == .answered)
        }
        await server.stop()
    }

    // MARK: Responses

    @Test(
        "a response is cut at the limit, but read to its end",
        arguments: [("bytes", 20_000), ("chunks", 20_000), ("bytes", 5_000_000), ("chunks", 5_000_000)]
    )
    func cut(kind: String, bytes: Int) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result = await bench.call(bench.request("\(server.url)/\(kind)/\(bytes)", responseLimit: 1_000))
        #expect(result.kind == .answered)
        #expect(result.httpStatus == 200)
        #expect(result.response?.utf8.count == 1_000)
        #expect((result.remark != nil) == (bytes > 1_000_000))
        let next = await bench.call(bench.request("\(server.url)/answer/200"))
        #expect(next.response == "hello")
        #expect(server.connections == 1)
        await server.stop()
    }

    @Test(
        "Retry-After of 429 and 503 is read, as seconds or as a date",
        arguments: [
            (429, "120", 120_000 as UInt64?), (503, "0", 0), (429, "Sun,_06_Nov_1994_08:50:07_GMT", 30_000),
            (503, "Sunday,_06-Nov-94_08:50:07_GMT", 30_000), (503, "Sun_Nov__6_08:50:07_1994", 30_000),
            (429, "Sun,_06_Nov_1994_08:00:00_GMT", 0), (429, "soon", nil), (500, "120", nil), (429, "-1", nil),
            (429, "99999999999999999999", 31_622_400_000),
        ]
    )
    func retryAfter(status: Int, value: String, milliseconds: UInt64?) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result = await bench.call(bench.request("\(server.url)/retry-after/\(status)/\(value)"))
        #expect(result.httpStatus == status)
        #expect(result.retryAfterMs == milliseconds)
        await server.stop()
    }

    // MARK: Failures

    @Test("no response in time: failed")
    func timeout() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result = await bench.call(bench.request("\(server.url)/hang", timeoutMs: 1_000))
        #expect(result.kind == .failed)
        #expect(result.durationMicroseconds >= 1_000_000)
        let message = try #require(result.errorMessage)
        #expect(message.hasPrefix("no response from 127.0.0.1:\(server.port) in "), "\(message)")
        await server.stop()
    }

    @Test("connection refused: not sent")
    func refused() async throws {
        let bench = CallerBench()
        let port = try await RawTarget.freePort()
        let result = await bench.call(bench.request("http://127.0.0.1:\(port)/"))
        #expect(result.kind == .notSent)
        let message = try #require(result.errorMessage)
        #expect(message.hasPrefix("no connection to 127.0.0.1:\(port) after "), "\(message)")
        #expect(message.hasSuffix("connection refused"), "\(message)")
    }

    @Test("a name that does not resolve: not sent")
    func unresolved() async throws {
        let bench = CallerBench()
        let result = await bench.call(bench.request("http://nowhere.invalid/", timeoutMs: 20_000))
        #expect(result.kind == .notSent)
        #expect(result.errorMessage?.contains("nowhere.invalid:80") == true, "\(result.errorMessage ?? "")")
    }

    @Test("the server closes without a response: failed", arguments: [true, false])
    func closed(atMostOnce: Bool) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let result = await bench.call(bench.request("\(server.url)/close", atMostOnce: atMostOnce))
        #expect(result.kind == .failed)
        #expect(result.errorMessage?.contains("closed the connection without a response") == true)
        #expect(server.requests.count == 1)
        await server.stop()
    }

    @Test("a response that is not HTTP: failed")
    func garbage() async throws {
        let target = try await RawTarget.start(answer: "SSH-2.0-OpenSSH_9.2\r\n")
        let bench = CallerBench()
        let result = await bench.call(bench.request("http://127.0.0.1:\(target.port)/"))
        #expect(result.kind == .failed)
        #expect(result.errorMessage?.contains("is not HTTP/1.1: ") == true, "\(result.errorMessage ?? "")")
        try await target.stop()
    }

    @Test("dead connections of earlier calls do not make later calls fail", arguments: ["POST", "GET"])
    func repetitions(method: String) async throws {
        let target = try await RawTarget.startForgetful()
        let bench = CallerBench(maxCalls: 1)
        for number in 1...20 {
            let body = method == "POST" ? "{}" : nil
            let result = await bench.call(
                bench.request("http://127.0.0.1:\(target.port)/", method: method, body: body)
            )
            #expect(result.httpStatus == 200, "call \(number): \(result.errorMessage ?? "")")
        }
        try await target.stop()
    }

    @Test("TLS to a port without TLS: not sent")
    func plainPort() async throws {
        let target = try await RawTarget.start(answer: "HTTP/1.1 400 Bad Request\r\n\r\n")
        let bench = CallerBench()
        let result = await bench.call(bench.request("https://127.0.0.1:\(target.port)/"))
        #expect(result.kind == .notSent)
        #expect(result.errorMessage?.hasPrefix("TLS with 127.0.0.1:\(target.port) failed") == true)
        try await target.stop()
    }

    @Test("a TLS handshake that never ends: not sent")
    func silentHandshake() async throws {
        let target = try await RawTarget.start(answer: nil)
        let bench = CallerBench()
        let result = await bench.call(bench.request("https://127.0.0.1:\(target.port)/", connectTimeoutMs: 50))
        #expect(result.kind == .notSent)
        #expect(result.errorMessage?.hasPrefix("no TLS handshake with") == true, "\(result.errorMessage ?? "")")
        try await target.stop()
    }

    @Test(
        "link-local and metadata addresses are never called",
        arguments: [
            "169.254.169.254", "169.254.0.1:8080", "[fe80::1]", "[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]",
            "[64:ff9b::169.254.169.254]", "[64:ff9b::a9fe:1]", "[2002:a9fe:a9fe::1]", "[fd00:ec2::254]",
            "100.100.100.200", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376",
        ]
    )
    func linkLocal(host: String) async throws {
        let bench = CallerBench()
        for isOnce in [false, true] {
            let result = await bench.call(bench.request("http://\(host)/latest/meta-data", atMostOnce: isOnce))
            #expect(result.kind == .notSent)
            let message = try #require(result.errorMessage)
            #expect(message.contains("link-local or a cloud's metadata service"), "\(message)")
        }
    }

    @Test("other schemes are not called", arguments: ["file:///etc/passwd", "ftp://127.0.0.1/", "gopher://127.0.0.1/"])
    func schemes(url: String) async {
        let bench = CallerBench()
        let result = await bench.call(bench.request(url))
        #expect(result.kind == .notSent)
    }

    // MARK: At most once

    @Test("an AT_MOST_ONCE call has a separate connection and is sent once, even when the server closes early")
    func atMostOnce() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        _ = await bench.call(bench.request("\(server.url)/answer/200"))
        for _ in 0..<3 { _ = await bench.call(bench.request("\(server.url)/answer/200", atMostOnce: true)) }
        #expect(server.requests.map(\.connection) == [1, 2, 3, 4])
        let result = await bench.call(bench.request("\(server.url)/close", atMostOnce: true))
        #expect(result.kind == .failed)
        _ = await bench.call(bench.request("\(server.url)/answer/200"))
        #expect(server.requests.map(\.connection) == [1, 2, 3, 4, 5, 1])
        #expect(server.requests.filter { $0.path == "/close" }.count == 1)
        await server.stop()
    }

    @Test("libcurl repeats a request on a reused connection that closes early, which AT_MOST_ONCE avoids")
    func repeatedByLibrary() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        _ = await bench.call(bench.request("\(server.url)/answer/200"))
        let result = await bench.call(bench.request("\(server.url)/close"))
        #expect(result.kind == .failed, "bytes were sent: never notSent")
        #expect(server.requests.map(\.path) == ["/answer/200", "/close", "/close"])
        #expect(server.requests.map(\.connection) == [1, 1, 2])
        await server.stop()
    }

    // MARK: Cancellation and shutdown

    @Test("a cancelled call ends as cancelled, once; unknown tokens are ignored")
    func cancel() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        let request = bench.request("\(server.url)/hang")
        bench.caller.start([request])
        await server.received(count: 1)
        bench.caller.cancel([request.token, DispatchToken(epoch: 99, sequence: 99)])
        let result = await bench.result(of: request.token)
        #expect(result.kind == .cancelled)
        bench.caller.cancel([request.token])
        let next = await bench.call(bench.request("\(server.url)/answer/200"))
        #expect(next.kind == .answered)
        #expect(bench.repeated.isEmpty)
        await server.stop()
    }

    @Test("each call of a large batch can be cancelled, whichever loop has it")
    func cancelHerd() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench(maxCalls: 200, loops: 3))
        let requests = (0..<200).map { _ in bench.request("\(server.url)/hang") }
        bench.caller.start(requests)
        await server.received(count: 200)
        bench.caller.cancel(requests.map(\.token))
        for request in requests {
            let result = await bench.result(of: request.token)
            #expect(result.kind == .cancelled)
        }
        #expect(bench.repeated.isEmpty)
        await server.stop()
    }

    @Test("successive single calls share a connection, however many loops there are")
    func oneByOne() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench(loops: 3))
        for _ in 0..<10 {
            let result = await bench.call(bench.request("\(server.url)/answer/200"))
            #expect(result.kind == .answered)
        }
        #expect(server.connections == 1)
        await server.stop()
    }

    @Test("shutdown waits for running calls", arguments: [1, 3])
    func shutdown(loops: Int) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench(loops: loops))
        let requests = (0..<200).map { _ in bench.request("\(server.url)/answer/200") }
        bench.caller.start(requests)
        bench.caller.shutdown()
        for request in requests {
            let result = await bench.result(of: request.token)
            #expect(result.kind == .answered)
        }
        await server.stop()
    }

    @Test("a thousand concurrent calls have one result each", arguments: [1, 2, 4])
    func thousand(loops: Int) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench(maxCalls: 1_000, loops: loops))
        let requests = (0..<1_000).map { number in
            bench.request("\(server.url)/answer/200", body: "\(number)", atMostOnce: number % 10 == 0)
        }
        bench.caller.start(requests)
        for request in requests {
            let result = await bench.result(of: request.token)
            #expect(result.kind == .answered, "\(result.errorMessage ?? "")")
        }
        #expect(Set(server.requests.map(\.body)).count == 1_000)
        #expect(server.requests.count == 1_000)
        #expect(bench.repeated.isEmpty)
        await server.stop()
    }
}
