import GRPCCore
import GRPCNIOTransportHTTP2Posix
import Synchronization

/// Sends the same message repeatedly over one connection, with a number of messages in flight, and counts the replies.
struct PingClient {
    let port: Int
    let bytes: Int

    /// Round trips per second of calls with one message in each direction.
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

    /// Round trips per second of messages in one call.
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

    /// Counts the operations of a body for some seconds, after a warm-up of a quarter of that time.
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
            // If nothing was counted, throw the error that ended the work.
            if done == 0 { try await work.value } else { _ = try? await work.value }
            return Double(done) / (took / .seconds(1))
        }
    }

    private final class Count: Sendable {
        let value = Atomic(0)
    }
}
