import CarillonRuntime
import CarillonSystem
import Logging
import Synchronization
import Testing

@testable import CarillonHTTP

@Suite(.timeLimit(.minutes(1)))
struct ProbeServerTests {
    private static let silent = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    private func withServer(
        _ limits: HTTPLimits = .probes,
        ready: @escaping @Sendable () -> (Bool, String) = { (true, "leading, epoch 3") },
        _ body: (HostPort) async throws -> Void
    ) async throws {
        let registry = MetricsRegistry()
        registry.gauge("carillon_jobs", help: "Jobs.").set(4)
        let server = ProbeServer(
            listen: HostPort(host: "127.0.0.1", port: 0),
            registry: registry,
            limits: limits,
            logger: Self.silent,
            ready: ready
        )
        let address = try await server.start()
        #expect(address.port != 0)
        do {
            try await body(address)
        } catch {
            await server.stop()
            throw error
        }
        await server.stop()
    }

    @Test func servesMetricsAndProbes() async throws {
        try await withServer { address in
            let metrics = try await Connection.exchange(
                address,
                "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            #expect(metrics.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(metrics.contains("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"))
            #expect(
                metrics.hasSuffix("\r\n\r\n# HELP carillon_jobs Jobs.\n# TYPE carillon_jobs gauge\ncarillon_jobs 4\n")
            )
            #expect(metrics.contains("Cross-Origin-Resource-Policy: same-origin\r\n"))
            #expect(metrics.contains("X-Content-Type-Options: nosniff\r\n"))
            #expect(metrics.contains("Cache-Control: no-store\r\n"))
            #expect(!metrics.contains("Access-Control-"))
            let ready = try await Connection.exchange(address, "GET /readyz/?verbose=1 HTTP/1.0\r\n\r\n")
            #expect(ready.hasPrefix("HTTP/1.1 200 OK\r\n") && ready.hasSuffix("leading, epoch 3\n"))
            let head = try await Connection.exchange(
                address,
                "HEAD /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            #expect(head.hasPrefix("HTTP/1.1 200 OK\r\n") && head.hasSuffix("\r\n\r\n"))
            #expect(head.contains("Content-Length: 6\r\n"))
            let post = try await Connection.exchange(
                address,
                "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
            )
            #expect(post.hasPrefix("HTTP/1.1 405 ") && post.contains("Allow: GET, HEAD\r\n"))
            let missing = try await Connection.exchange(
                address,
                "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            #expect(missing.hasPrefix("HTTP/1.1 404 "))
        }
    }

    @Test func saysWhyItIsNotReady() async throws {
        try await withServer(ready: { (false, "no database") }) { address in
            let answer = try await Connection.exchange(
                address,
                "GET /readyz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            #expect(answer.hasPrefix("HTTP/1.1 503 ") && answer.hasSuffix("\r\n\r\nno database\n"))
        }
    }

    @Test func keepsConnectionsAliveAndInOrder() async throws {
        try await withServer { address in
            let answer = try await Connection.exchange(
                address,
                "GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /readyz HTTP/1.1\r\nHost: x\r\n\r\n"
                    + "GET /none HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            let statuses = answer.split(separator: "HTTP/1.1 ").map { $0.prefix(3) }
            #expect(statuses == ["200", "200", "404"])
            #expect(answer.contains("alive\n") && answer.contains("leading, epoch 3\n"))
        }
    }

    /// Each of these connections ends without a response of status 200. The limits are short; the test awaits the end.
    @Test(arguments: [
        "", "GET /livez HTTP/1.1\r\nHos", "POST /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
        "\u{16}\u{3}\u{1}garbage\r\n\r\n",
        "GET /livez HTTP/1.1\r\nHost: \(String(repeating: "x", count: 100_000))\r\n\r\n",
    ])
    func aClientThatSendsNoWholeRequestIsCutOff(_ text: String) async throws {
        var limits = HTTPLimits.probes
        limits.requestMs = 50
        try await withServer(limits) { address in
            let answer = try await Connection.exchange(address, text)
            #expect(!answer.hasPrefix("HTTP/1.1 200"))
        }
        // Other connections are served, with the usual limits.
        try await withServer { address in
            _ = try await Connection.exchange(address, "\u{16}\u{3}\u{1}garbage\r\n\r\n")
            let answer = try await Connection.exchange(address, "GET /livez HTTP/1.0\r\n\r\n")
            #expect(answer.hasSuffix("alive\n"))
        }
    }

    @Test func anIdleConnectionIsClosedAfterItsAnswer() async throws {
        var limits = HTTPLimits.probes
        limits.idleMs = 50
        try await withServer(limits) { address in
            let answer = try await Connection.exchange(address, "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n")
            #expect(answer.isEmpty || answer.hasSuffix("alive\n"))
        }
    }

    @Test func aBodyWithoutEndIsCutOff() async throws {
        try await withServer { address in
            let connection = try await Connection(to: address)
            try await connection.send("POST /livez HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n")
            let chunk = "8000\r\n" + String(repeating: "x", count: 0x8000) + "\r\n"
            await #expect(throws: (any Error).self) { while true { try await connection.send(chunk) } }
        }
    }

    private final class Counter: Sendable {
        let count = Atomic(0)
    }

    /// A connection above the limit is served only when an earlier one ends.
    @Test func connectionsBeyondTheLimitWait() async throws {
        var limits = HTTPLimits.probes
        limits.connections = 2
        let asked = Counter()
        let ready: @Sendable () -> (Bool, String) = {
            asked.count.add(1, ordering: .sequentiallyConsistent)
            return (true, "leading, epoch 3")
        }
        try await withServer(limits, ready: ready) { address in
            let request = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n"
            var (first, second) = (try await Connection(to: address), try await Connection(to: address))
            // A response on each connection proves that it was accepted.
            try await first.send(request)
            await first.receive(until: "alive\n")
            try await second.send(request)
            await second.receive(until: "alive\n")
            var third = try await Connection(to: address)
            try await third.send("GET /readyz HTTP/1.0\r\n\r\n")
            // The server continues to serve the accepted connections.
            for _ in 0..<50 {
                let before = second.read.utf8.count
                try await second.send(request)
                while second.read.utf8.count == before { await second.receiveMore() }
            }
            #expect(asked.count.load(ordering: .sequentiallyConsistent) == 0)
            try await first.close()
            #expect(await third.receive().hasSuffix("leading, epoch 3\n"))
            try await second.close()
        }
    }

    @Test func namesTheUnavailableAddress() async throws {
        try await withServer { address in
            let second = ProbeServer(listen: address, registry: MetricsRegistry(), logger: Self.silent) { (true, "") }
            let error = await #expect(throws: ProbeServerError.self) { try await second.start() }
            #expect(error?.message.hasPrefix("cannot listen on \(address) for metrics and probes: ") == true)
        }
    }

    @Test func aStoppedServerListensNoMore() async throws {
        let server = ProbeServer(
            listen: HostPort(host: "127.0.0.1", port: 0),
            registry: MetricsRegistry(),
            logger: Self.silent
        ) { (true, "") }
        let address = try await server.start()
        await server.stop()
        await #expect(throws: (any Error).self) { try await Connection(to: address) }
        await server.stop()
    }
}
