import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Synchronization

/// Sends the same message again and again over one connection, so many in flight, and counts what comes back.
struct PingClient {
    let port: Int
    let bytes: Int

    /// Round trips a second of calls that each take one message and answer one.
    func unary(inFlight: Int, _ seconds: Int) async throws -> Double {
        try await measure(seconds) { client, message, count in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<inFlight {
                    group.addTask {
                        while !Task.isCancelled {
                            try await client.unary(
                                request: ClientRequest(message: message),
                                descriptor: Ping.once,
                                serializer: Bytes(),
                                deserializer: Bytes(),
                                options: .defaults
                            ) { response in
                                _ = try response.message
                            }
                            count.value.add(1, ordering: .relaxed)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    /// The same of messages within one call.
    func stream(inFlight: Int, _ seconds: Int) async throws -> Double {
        try await measure(seconds) { client, message, count in
            let (allowed, allow) = AsyncStream.makeStream(of: Void.self)
            for _ in 0..<inFlight { allow.yield() }
            try await client.bidirectionalStreaming(
                request: StreamingClientRequest { writer in
                    for await _ in allowed { try await writer.write(message) }
                },
                descriptor: Ping.stream,
                serializer: Bytes(),
                deserializer: Bytes(),
                options: .defaults
            ) { response in
                for try await _ in response.messages {
                    count.value.add(1, ordering: .relaxed)
                    allow.yield()
                }
            }
        }
    }

    private typealias Client = GRPCClient<HTTP2ClientTransport.Posix>

    /// Counts for some seconds, after a quarter of that, what a body does until it is cancelled.
    private func measure(
        _ seconds: Int,
        _ body: @escaping @Sendable (Client, [UInt8], Count) async throws -> Void
    ) async throws -> Double {
        let transport = try HTTP2ClientTransport.Posix(
            target: .ipv4(address: "127.0.0.1", port: port),
            transportSecurity: .plaintext
        )
        let message = [UInt8](repeating: 7, count: bytes)
        let count = Count()
        return try await withGRPCClient(transport: transport) { client in
            let work = Task { try await body(client, message, count) }
            try await Task.sleep(for: .milliseconds(seconds * 250))
            let (before, from) = (count.value.load(ordering: .relaxed), ContinuousClock.now)
            try await Task.sleep(for: .seconds(seconds))
            let done = count.value.load(ordering: .relaxed) - before
            let took = ContinuousClock.now - from
            work.cancel()
            // What ended the work before is why nothing was counted.
            if done == 0 { try await work.value } else { _ = try? await work.value }
            return Double(done) / (took / .seconds(1))
        }
    }

    private final class Count: Sendable {
        let value = Atomic(0)
    }
}
