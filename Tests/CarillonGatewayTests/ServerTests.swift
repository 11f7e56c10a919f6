import CarillonHTTP
import CarillonJSON
import CarillonRuntime
import CarillonSystem
import HummingbirdCore
import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Testing

@testable import CarillonGateway

/// The real server, tested over TCP.
@Suite struct ServerTests {
    /// Runs a server, passes its port to the body, and stops it.
    private func withServer(
        _ scheduler: FakeScheduler,
        limits: HTTPLimits = HTTPLimits(),
        configuration: GatewayConfiguration = GatewayConfiguration(listen: HostPort(host: "127.0.0.1", port: 0)),
        _ body: @Sendable (Int, ServiceGroup) async throws -> Void
    ) async throws {
        let (ports, port) = AsyncStream.makeStream(of: Int.self)
        let server = GatewayServer.make(
            gateway(scheduler),
            configuration: configuration,
            limits: limits
        ) { port.yield($0.port) }
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            var ports = ports.makeAsyncIterator()
            let bound = try #require(await ports.next())
            do {
                try await body(bound, group)
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Sends bytes and reads a number of responses, or until the connection is closed.
    private func talk(_ port: Int, _ text: String, answers: Int? = nil) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .connect(host: "127.0.0.1", port: port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            try await outbound.write(ByteBuffer(string: text))
            var read = ""
            for try await part in inbound {
                read += String(buffer: part)
                if let answers, count("HTTP/1.1 ", in: read) >= answers, read.hasSuffix("}") { break }
            }
            return read
        }
    }

    private func count(_ word: String, in text: String) -> Int {
        text.split(separator: word, omittingEmptySubsequences: false).count - 1
    }

    private static let get = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"

    @Test func pipelinedRequestsAreAnsweredInOrder() async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let unknown = "GET /nope HTTP/1.1\r\nHost: localhost\r\n\r\n"
            let read = try await talk(port, ServerTests.get + unknown + ServerTests.get, answers: 3)
            let statuses = read.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["200", "404", "200"])
        }
    }

    @Test(arguments: ["/livez", "/nope"]) func anAnswerSaysWhenItWasMade(_ path: String) async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let read = try await talk(port, "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n", answers: 1)
            #expect(count("\r\nDate: ", in: read) == 1)
            #expect(read.contains(" GMT\r\n"))
        }
    }

    @Test func aTooLargeBodyIsNotWaitedFor() async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let head = "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000\r\n\r\n"
            let read = try await talk(port, head + String(repeating: " ", count: 1_000))
            #expect(read.hasPrefix("HTTP/1.1 413 "))
            #expect(read.contains("Connection: close"))
        }
    }

    /// Clients such as Python's urllib read no response before they have sent the whole request.
    @Test(arguments: [
        (
            "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 12000000\r\n\r\n",
            "413"
        ),
        ("POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12000000\r\n\r\n", "413"),
        ("POST /nowhere HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 12000000\r\n\r\n", "404"),
        (
            "POST /api/v1/jobs HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\nContent-Length: 12000000\r\n\r\n",
            "421"
        ),
        ("PUT /livez HTTP/1.0\r\nContent-Length: 12000000\r\n\r\n", "405"),
        ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nContent-Length: 12000000\r\n\r\n", "400"),
        ("what is this\r\n\r\n", "400"),
    ])
    func aClientThatSendsOnGetsTheAnswer(_ head: String, _ status: String) async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let read = try await talk(port, head + String(repeating: " ", count: 12_000_000))
            #expect(read.hasPrefix("HTTP/1.1 \(status) "), "\(read.prefix(200))")
        }
    }

    /// The server does not wait indefinitely for a client.
    @Test func aClientThatSendsWithoutEndIsCutOff() async throws {
        var limits = HTTPLimits()
        limits.lingerMs = 1_000
        let hasty = limits
        try await withServer(FakeScheduler(), limits: hasty) { port, _ in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            await #expect(throws: (any Error).self) {
                try await channel.executeThenClose { _, outbound in
                    try await outbound.write(
                        ByteBuffer(
                            string:
                                "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000000000\r\n\r\n"
                        )
                    )
                    while true { try await outbound.write(ByteBuffer(repeating: 0x20, count: 65_536)) }
                }
            }
        }
    }

    @Test func aBodyOfUnknownLengthIsBounded() async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let head = "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
            let chunk = "20000\r\n" + String(repeating: " ", count: 0x20000) + "\r\n"
            let read = try await talk(port, head + String(repeating: chunk, count: 9))
            #expect(read.hasPrefix("HTTP/1.1 413 "))
        }
    }

    @Test func expectContinueIsAnswered() async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let head =
                "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n"
            let read = try await talk(port, head + "[]", answers: 2)
            #expect(read.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 "))
        }
    }

    @Test(arguments: [
        "GET /\u{E9} HTTP/1.1\r\nHost: x\r\n\r\n", "\u{1}\u{2}garbage\r\n\r\n",
        "GET /livez HTTP/1.1\r\nX-A: \(String(repeating: "a", count: 50_000))\r\nHost: x\r\n\r\n",
        "GET /\(String(repeating: "a", count: 50_000)) HTTP/1.1\r\nHost: x\r\n\r\n",
    ])
    func malformedHTTPClosesTheConnection(_ text: String) async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let refused = try await talk(port, text)
            #expect(refused.hasPrefix("HTTP/1.1 400 "))
            #expect(refused.contains("\r\nDate: ") && refused.contains("\r\nConnection: close\r\n"))
            #expect(refused.contains("\"code\":\"INVALID_ARGUMENT\"") && refused.hasSuffix("}"))
            #expect(refused.contains("\r\nCross-Origin-Resource-Policy: same-origin\r\n"))
            #expect(refused.contains("\r\nX-Content-Type-Options: nosniff\r\n"))
            let next = try await talk(port, ServerTests.get, answers: 1)
            #expect(next.hasPrefix("HTTP/1.1 200 "))
        }
    }

    @Test func theAnswerSaysWhatIsWrongWithAHead() async throws {
        try await withServer(FakeScheduler()) { port, _ in
            for hosts in ["", "Host: a\r\nHost: b\r\n", "Host: a b/c\r\n", "Host: a@b\r\n"] {
                let read = try await talk(port, ServerTests.get + "GET /livez HTTP/1.1\r\n\(hosts)\r\n")
                #expect(read.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["200", "400"])
                #expect(read.contains("no Host header, more than one, or an invalid one"))
            }
            for head in [
                "GET http://evil.test/livez HTTP/1.1\r\nHost: localhost\r\n",
                "GET http://localhost@evil.test/ HTTP/1.1\r\nHost: localhost\r\n",
                "GET http://evil.test HTTP/1.1\r\nHost: localhost\r\n", "GET /livez HTTP/1.0\r\nHost: a\r\nHost: b\r\n",
                "GET http://a@b/ HTTP/1.0\r\n",
            ] {
                let read = try await talk(port, head + "\r\n")
                #expect(read.hasPrefix("HTTP/1.1 400 "), "\(head)")
                #expect(read.contains("it differs from the URL's host"))
            }
            let large = try await talk(
                port,
                "GET /\(String(repeating: "a", count: 50_000)) HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            #expect(large.contains("at most 32768 bytes and 100 fields are allowed"))
        }
    }

    /// The absolute form that proxies send (RFC 9112, section 3.2.2).
    @Test func theHostOfAnAbsoluteURLCounts() async throws {
        try await withServer(FakeScheduler(["list_jobs": ["jobs": []]])) { port, _ in
            for (head, status) in [
                ("GET http://LOCALHOST:8000/api/v1/jobs HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close", 200),
                ("GET http://evil.test/api/v1/jobs HTTP/1.1\r\nHost: evil.test\r\nConnection: close", 421),
                ("GET http://localhost/api/v1/jobs HTTP/1.0", 200), ("GET http://evil.test/api/v1/jobs HTTP/1.0", 421),
                ("GET /api/v1/jobs HTTP/1.0", 200), ("GET /api/v1/jobs HTTP/1.1\r\nHost:\r\nConnection: close", 421),
            ] {
                let read = try await talk(port, head + "\r\n\r\n")
                #expect(read.hasPrefix("HTTP/1.1 \(status) "), "\(head)")
            }
        }
    }

    /// The server knows the peer's address, so a proxy on this machine is trusted.
    @Test func aTrustedProxyIsKnownByItsAddress() async throws {
        let request =
            "POST /api/v1/debug/refresh_schedule HTTP/1.1\r\nHost: carillon.example.com\r\nOrigin: https://carillon.example.com\r\n"
            + "X-Forwarded-Proto: https\r\nConnection: close\r\n\r\n"
        for (ranges, status) in [("127.0.0.0/8", 200), ("192.0.2.0/24", 403)] {
            let configuration = GatewayConfiguration(
                listen: HostPort(host: "127.0.0.1", port: 0),
                allowedHosts: ["carillon.example.com"],
                trustedProxies: [AddressRange(ranges)].compactMap(\.self)
            )
            let scheduler = FakeScheduler(["refresh_schedule": ["status": "SCHEDULE_REFRESHED", "jobs": 1]])
            try await withServer(scheduler, configuration: configuration) { port, _ in
                let read = try await talk(port, request)
                #expect(read.hasPrefix("HTTP/1.1 \(status) "), "\(read)")
            }
        }
    }

    /// Data after the last request of a connection is not read.
    @Test(arguments: [
        "GET /livez HTTP/1.0\r\n\r\n", "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
        "GET /livez HTTP/1.0\r\nExpect: 100-continue\r\n\r\n",
    ])
    func theLastAnswerSaysThatItIsTheLast(_ last: String) async throws {
        try await withServer(FakeScheduler()) { port, _ in
            let read = try await talk(port, ServerTests.get + ServerTests.get + last + ServerTests.get)
            let answers = read.split(separator: "HTTP/1.1 ")
            #expect(answers.map { $0.prefix(3) } == ["200", "200", "200"])
            #expect(answers.map { $0.contains("Connection: close") } == [false, false, true])
        }
    }

    /// The body or the head of a request is incomplete, and no more bytes arrive.
    @Test(arguments: [
        "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n{",
        "GET /api/v1/jobs HTTP/1.1\r\nX-Slow: ",
    ])
    func aRequestThatDoesNotArriveInTimeEndsTheConnection(_ beginning: String) async throws {
        var limits = HTTPLimits()
        limits.requestMs = 1_000
        let hasty = limits
        try await withServer(FakeScheduler(), limits: hasty) { port, _ in
            let read = try await talk(port, beginning)
            #expect(read == "")
        }
    }

    @Test func theEndDoesNotWaitForIdleConnections() async throws {
        try await withServer(FakeScheduler()) { port, group in
            let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port) { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                    }
                }
            try await channel.executeThenClose { inbound, outbound in
                try await outbound.write(ByteBuffer(string: ServerTests.get))
                var parts = inbound.makeAsyncIterator()
                _ = try await parts.next()
                await group.triggerGracefulShutdown()
                // The server closes the connection, not the test.
                while try await parts.next() != nil {}
            }
        }
    }
}
