import CarillonRuntime
import Logging
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import CarillonSystem

@Suite(.timeLimit(.minutes(1)))
struct ProbeServerTests {
    /// Sends bytes and collects what comes back until the server closes.
    private func exchange(_ address: HostPort, _ text: String, closesAfter: Bool = true) async throws -> String {
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .connect(host: address.host, port: address.port) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        return try await channel.executeThenClose { inbound, outbound in
            if !text.isEmpty { try await outbound.write(ByteBuffer(string: text)) }
            var answer = ""
            for try await part in inbound { answer += String(buffer: part) }
            return answer
        }
    }

    private func withServer(
        _ limits: ProbeServer.Limits = ProbeServer.Limits(),
        ready: (Bool, String) = (true, "leading, epoch 3"),
        _ body: (HostPort) async throws -> Void
    ) async throws {
        let registry = MetricsRegistry()
        registry.gauge("carillon_jobs", help: "Jobs.").set(4)
        let server = ProbeServer(
            host: "127.0.0.1",
            port: 0,
            registry: registry,
            limits: limits,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        ) { ready }
        let address = try await server.start()
        #expect(address.port != 0)
        try await body(address)
        await server.stop()
    }

    @Test func servesMetricsAndProbes() async throws {
        try await withServer { address in
            let metrics = try await exchange(address, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(metrics.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(metrics.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(
                metrics.hasSuffix("\r\n\r\n# HELP carillon_jobs Jobs.\n# TYPE carillon_jobs gauge\ncarillon_jobs 4\n")
            )
            #expect(metrics.contains("Cross-Origin-Resource-Policy: same-origin\r\n"))
            #expect(metrics.contains("X-Content-Type-Options: nosniff\r\n"))
            #expect(!metrics.contains("Access-Control-"))
            let ready = try await exchange(address, "GET /readyz/?verbose=1 HTTP/1.0\r\n\r\n")
            #expect(ready.hasPrefix("HTTP/1.0 200 OK\r\n") && ready.hasSuffix("leading, epoch 3\n"))
            let head = try await exchange(address, "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
            let post = try await exchange(
                address,
                "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            )
            #expect(post.hasPrefix("HTTP/1.1 405 ") && post.contains("Allow: GET, HEAD\r\n"))
            let missing = try await exchange(address, "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(missing.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test func saysWhyItIsNotReady() async throws {
        try await withServer(ready: (false, "no database")) { address in
            let answer = try await exchange(address, "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.hasSuffix("\r\n\r\nno database\n"))
        }
    }

    @Test func keepsConnectionsAliveAndInOrder() async throws {
        try await withServer { address in
            let answer = try await exchange(
                address,
                "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            let statuses = answer.split(separator: "\r\n").filter {
                $0.hasPrefix("HTTP/1.1 ") || $0.contains("HTTP/1.1")
            }
            #expect(statuses.count == 3)
            #expect(answer.contains("alive\n") && answer.contains("leading, epoch 3\n"))
        }
    }

    /// Who sends nothing, a byte now and then, garbage or too much is cut off; the others are served.
    @Test func cutsOffWhoMisbehaves() async throws {
        var limits = ProbeServer.Limits()
        limits.requestMs = 250
        limits.idleMs = 500
        try await withServer(limits) { address in
            // Whoever comes to write only then finds the connection closed already.
            #expect(((try? await exchange(address, "")) ?? "") == "")
            #expect(((try? await exchange(address, "GET /livez HTTP/1.1\r\nHos")) ?? "") == "")
            let afterOne = try await exchange(address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(afterOne.hasSuffix("alive\n"))
            let garbage = try await exchange(address, "\u{16}\u{3}\u{1}garbage\r\n\r\n")
            #expect(garbage.isEmpty || garbage.hasPrefix("HTTP/1.1 400 "))
            let long = "GET /livez HTTP/1.1\r\nHost: \(String(repeating: "x", count: 100_000))\r\n\r\n"
            let refused = (try? await exchange(address, long)) ?? ""
            #expect(!refused.hasPrefix("HTTP/1.1 200"))
            let answer = try await exchange(address, "GET /livez HTTP/1.0\r\n\r\n")
            #expect(answer.hasSuffix("alive\n"))
        }
    }

    @Test func boundsTheConnections() async throws {
        var limits = ProbeServer.Limits()
        limits.connections = 2
        try await withServer(limits) { address in
            let group = MultiThreadedEventLoopGroup.singleton
            let first = try await ClientBootstrap(group: group).connect(host: address.host, port: address.port).get()
            let second = try await ClientBootstrap(group: group).connect(host: address.host, port: address.port).get()
            #expect((try? await exchange(address, "")) ?? "" == "")
            try await first.close().get()
            try await second.close().get()
            var answer = ""
            while answer.isEmpty { answer = (try? await exchange(address, "GET /livez HTTP/1.0\r\n\r\n")) ?? "" }
            #expect(answer.hasSuffix("alive\n"))
        }
    }

    @Test func namesTheAddressThatItCannotHave() async throws {
        try await withServer { address in
            let second = ProbeServer(
                host: "127.0.0.1",
                port: address.port,
                registry: MetricsRegistry(),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { (true, "") }
            let error = await #expect(throws: ProbeServerError.self) { try await second.start() }
            #expect(error?.message.hasPrefix("cannot listen on \(address) for metrics and probes: ") == true)
        }
    }
}
