import CarillonRuntime
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import ServiceLifecycle
import Testing

@testable import CarillonHTTP

@Suite(.timeLimit(.minutes(1)))
struct HTTPServerTests {
    /// Runs a server during the body, then stops it.
    private func withServer(
        _ limits: HTTPLimits = HTTPLimits(),
        responder: @escaping HTTPServer.Responder,
        _ body: (HostPort) async throws -> Void
    ) async throws {
        let (addresses, listening) = AsyncStream.makeStream(of: HostPort.self)
        let server = HTTPServer(
            listen: HostPort(host: "127.0.0.1", port: 0),
            limits: limits,
            log: RateLimitedLog(Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }),
            malformed: { MalformedRequestAnswer(contentType: "text/plain", body: $0) },
            onListening: { address, _ in listening.yield(address) },
            responder: responder
        )
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [server],
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        let running = Task { try await group.run() }
        var iterator = addresses.makeAsyncIterator()
        let address = try #require(await iterator.next())
        do {
            try await body(address)
        } catch {
            await group.triggerGracefulShutdown()
            throw error
        }
        await group.triggerGracefulShutdown()
        try await running.value
    }

    /// The response has no end and the client reads nothing; the write fails once the connection is closed.
    @Test func aClientThatTakesNothingLosesItsConnection() async throws {
        let (failures, failed) = AsyncStream.makeStream(of: Void.self)
        var limits = HTTPLimits()
        limits.stallMs = 100
        try await withServer(
            limits,
            responder: { _, _ in
                Response(
                    status: .ok,
                    body: ResponseBody { writer in
                        do {
                            while true { try await writer.write(ByteBuffer(repeating: 0x20, count: 65_536)) }
                        } catch {
                            failed.yield()
                            throw error
                        }
                    }
                )
            }
        ) { address in
            let connection = try await Connection(to: address, reads: false)
            try await connection.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            var iterator = failures.makeAsyncIterator()
            await iterator.next(isolation: #isolation)
            try? await connection.close()
        }
    }

    @Test func errorsOfARequestHeadHaveTheFormatOfTheServer() async throws {
        try await withServer(responder: { _, _ in Response(status: .ok) }) { address in
            let answer = try await Connection.exchange(address, "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 400 "))
            #expect(answer.contains("Content-Type: text/plain\r\n") && answer.contains("Connection: close\r\n"))
            #expect(answer.contains("more than one"))
        }
    }

    @Test func theAddressOfThePeerIsReported() async throws {
        try await withServer(
            responder: { _, peer in
                Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(string: peer ?? "nobody")))
            }
        ) { address in
            let answer = try await Connection.exchange(
                address,
                "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            )
            #expect(answer.hasSuffix("\r\n\r\n127.0.0.1"))
        }
    }
}
