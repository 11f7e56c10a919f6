import CarillonCore
import CarillonCurl
import Testing

@testable import CarillonCurl

@Suite("HTTP/2", .timeLimit(.minutes(1)))
struct HTTP2Tests {
    @Test("a refused stream is repeated at once and costs no attempt")
    func refusedStream() async throws {
        let target = try await FrameTarget.start(Array(repeating: .reset(FrameTarget.refusedStream), count: 2))
        let bench = CallerBench()
        let result = await bench.call(bench.request(target.url, httpVersion: .http2))
        #expect(result.kind == .answered)
        #expect(result.response == "HTTP/2")
        #expect(target.versions.count == 3)
        try await target.stop()
    }

    @Test("a request that GOAWAY declares unprocessed is repeated at once and costs no attempt")
    func goAway() async throws {
        let target = try await FrameTarget.start([.goAway, .goAway])
        let bench = CallerBench()
        let result = await bench.call(bench.request(target.url, httpVersion: .http2))
        #expect(result.kind == .answered, "\(result.errorMessage ?? "")")
        #expect(result.response == "HTTP/2")
        #expect(target.requestConnections == [1, 2, 3])
        try await target.stop()
    }

    @Test("requests that share a connection survive its GOAWAY")
    func goAwayOfMany() async throws {
        let certificate = try TLSTarget.Certificate()
        defer { certificate.remove() }
        let bench = CallerBench(authorities: certificate.file)
        let port = try await RawTarget.freePort()
        let target = FrameTarget([.answer, .beginAnswer, .goAwayBefore])
        let server = try await TLSTarget.start(
            target,
            certificate: certificate,
            port: port,
            protocols: "h2",
            connections: 2
        )
        _ = await called(bench, port, atMostOnce: false)
        let first = bench.request("https://127.0.0.1:\(port)/")
        bench.caller.start([first])
        await target.received(count: 2)
        let second = await bench.call(bench.request("https://127.0.0.1:\(port)/"))
        #expect(second.kind == .answered, "\(second.errorMessage ?? "")")
        #expect(second.response == "HTTP/2")
        let result = await bench.result(of: first.token)
        #expect(result.kind == .answered, "\(result.errorMessage ?? "")")
        #expect(result.response == "begun")
        #expect(target.requestConnections == [1, 1, 1, 2])
        await server.stop()
    }

    @Test("repeats are limited, and the error names the reason")
    func bounded() async throws {
        for (reaction, name) in [
            (FrameTarget.Reaction.reset(FrameTarget.refusedStream), "REFUSED_STREAM"), (.goAway, "GOAWAY"),
        ] {
            let target = try await FrameTarget.start(Array(repeating: reaction, count: 100))
            let bench = CallerBench()
            let result = await bench.call(bench.request(target.url, httpVersion: .http2))
            #expect(result.kind == .failed)
            #expect(result.errorMessage?.contains(name) == true, "\(result.errorMessage ?? "")")
            #expect(2...8 ~= target.versions.count)
            try await target.stop()
        }
    }

    @Test(
        "a request that may have been processed is not repeated",
        arguments: [FrameTarget.Reaction.goAwayAfterProcessing, .reset(2), .resetAnswer(FrameTarget.refusedStream)]
    )
    func processed(reaction: FrameTarget.Reaction) async throws {
        let target = try await FrameTarget.start([reaction])
        let bench = CallerBench()
        let result = await bench.call(bench.request(target.url, httpVersion: .http2))
        #expect(result.kind == .failed)
        #expect(target.versions == ["HTTP/2"])
        try await target.stop()
    }

    @Test("stream errors are named", arguments: [false, true])
    func named(hasBegun: Bool) async throws {
        let target = try await FrameTarget.start([hasBegun ? .resetAnswer(2) : .reset(2)])
        let bench = CallerBench()
        let result = await bench.call(bench.request(target.url, httpVersion: .http2))
        #expect(result.kind == .failed)
        #expect(result.httpStatus == (hasBegun ? 200 : nil))
        #expect(result.errorMessage?.contains("INTERNAL_ERROR") == true, "\(result.errorMessage ?? "")")
        #expect(result.response == (hasBegun ? "part" : nil))
        try await target.stop()
    }

    @Test("HTTP_1_1_REQUIRED falls back to HTTP/1.1")
    func fallback() async throws {
        let target = try await FrameTarget.start([.reset(FrameTarget.http11Required)])
        let bench = CallerBench()
        let result = await bench.call(bench.request(target.url, httpVersion: .http2))
        #expect(result.kind == .answered)
        #expect(result.response == "HTTP/1.1")
        #expect(target.versions == ["HTTP/2", "HTTP/1.1"])
        try await target.stop()
    }

    // MARK: At most once

    @Test(
        "an AT_MOST_ONCE request is sent once, whatever the target answers",
        arguments: [
            (FrameTarget.Reaction.reset(FrameTarget.refusedStream), "REFUSED_STREAM"), (.goAway, "GOAWAY"),
            (.reset(FrameTarget.http11Required), "HTTP_1_1_REQUIRED"), (.reset(2), "INTERNAL_ERROR"),
        ]
    )
    func atMostOnce(reaction: FrameTarget.Reaction, name: String) async throws {
        let target = try await FrameTarget.start([.answer, reaction])
        let bench = CallerBench()
        for _ in 0..<2 {
            let result = await bench.call(bench.request(target.url, atMostOnce: true, httpVersion: .http2))
            guard target.versions.count > 1 else { continue }
            #expect(result.kind == .failed)
            #expect(result.errorMessage?.contains(name) == true, "\(result.errorMessage ?? "")")
        }
        #expect(target.requestConnections == [1, 2])
        try await target.stop()
    }

    @Test("an AT_MOST_ONCE call of a target that speaks only HTTP/2 has a separate connection")
    func onlyHTTP2() async throws {
        let certificate = try TLSTarget.Certificate()
        defer { certificate.remove() }
        let bench = CallerBench(authorities: certificate.file)
        let port = try await RawTarget.freePort()
        for number in 1...2 {
            let target = FrameTarget()
            let server = try await TLSTarget.start(target, certificate: certificate, port: port, protocols: "h2")
            let result = await called(bench, port)
            #expect(result.kind == .answered, "call \(number): \(result.errorMessage ?? "")")
            #expect(result.response == "HTTP/2")
            #expect(target.versions == ["HTTP/2"])
            await server.stop()
        }
    }

    @Test("a target that required HTTP/1.1 gets HTTP/1.1 afterwards")
    func remembered() async throws {
        let certificate = try TLSTarget.Certificate()
        defer { certificate.remove() }
        let bench = CallerBench(authorities: certificate.file)
        let port = try await RawTarget.freePort()
        for (number, version) in [(1, "HTTP/2"), (2, "HTTP/1.1")] {
            let target = FrameTarget(number == 1 ? [.reset(FrameTarget.http11Required)] : [])
            let server = try await TLSTarget.start(
                target,
                certificate: certificate,
                port: port,
                protocols: "h2,http/1.1",
                // libcurl opens a connection for the repeat before the repeat is prevented.
                connections: number == 1 ? 2 : 1
            )
            let result = await called(bench, port)
            #expect(result.kind == (number == 1 ? .failed : .answered), "\(result.errorMessage ?? "")")
            #expect(target.versions == [version])
            await server.stop()
        }
    }

    /// Calls until the server is listening.
    private func called(_ bench: CallerBench, _ port: Int, atMostOnce: Bool = true) async -> HTTPResult {
        while true {
            let result = await bench.call(bench.request("https://127.0.0.1:\(port)/", atMostOnce: atMostOnce))
            guard result.kind == .notSent, result.errorMessage?.hasSuffix("connection refused") == true else {
                return result
            }
        }
    }

    @Test("the number of remembered targets is limited")
    func boundedMemory() {
        var targets = HTTP1Targets()
        for number in 0...HTTP1Targets.maxCount { targets.insert("https://a\(number).example/x") }
        #expect(
            (0...HTTP1Targets.maxCount).count { targets.contains("https://a\($0).example:443/y") }
                == HTTP1Targets.maxCount
        )
        #expect(!targets.contains("https://a0.example:8443/"))
    }
}
