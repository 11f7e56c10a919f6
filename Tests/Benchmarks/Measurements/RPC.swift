import CarillonCore
import CarillonRPC
import CarillonWire
import NIOCore
import NIOPosix

extension Measurement {
    /// Ping compared with an echo server without frames.
    static let rpc = Measurement(name: "rpc", title: "round trips a second of ping, against a bare SwiftNIO echo") {
        bench in
        let system = try System(bench)
        try await system.start()
        let (near, far) = (
            MultiThreadedEventLoopGroup(numberOfThreads: 1), MultiThreadedEventLoopGroup(numberOfThreads: 1)
        )
        let echo = try await FramePeer.echo(framed: true, on: far)
        let raw = try await FramePeer.echo(framed: false, on: far)
        var random = SystemRandomNumberGenerator()
        let hello = MessageCodec.frame(
            of: Envelope(.hello(Hello(role: .client, name: "bench", bootID: UniqueID.random(using: &random))))
        )
        let ping = MessageCodec.frame(of: Envelope(id: 7, .ping(sentMicroseconds: 1_795_464_000_000_000)))
        let seconds = bench.quick ? 0.4 : 2
        var results = Results()
        for inFlight in [1, 256] {
            func rate(_ port: Int?, _ hello: [UInt8]? = nil) async throws -> Double {
                try await FramePeer.measure(
                    port: port ?? 0,
                    hello: hello,
                    frame: ping,
                    inFlight: inFlight,
                    seconds: seconds,
                    on: near
                )
            }
            var (served, called, echoed, bytes) = ([Double](), [Double](), [Double](), [Double]())
            for _ in 0..<bench.shortRounds {
                echoed.append(try await rate(echo.localAddress?.port))
                bytes.append(try await rate(raw.localAddress?.port))
                served.append(try await rate(system.port, hello))
                called.append(try await pings(system, inFlight, seconds))
            }
            let limit = Figure.Limit(name: "framed echo", samples: Samples(echoed))
            results.figures += [
                Figure("the scheduler, \(inFlight) in flight", "1/s", served, limit: limit, wanted: .ratioAtLeast(0.8)),
                Figure("with RPCClient.ping, \(inFlight) in flight", "1/s", called, limit: limit),
                Figure("an echo of bytes without frames, \(inFlight) in flight", "1/s", bytes),
            ]
        }
        try await echo.close()
        try await raw.close()
        try await near.shutdownGracefully()
        try await far.shutdownGracefully()
        try await system.stop()
        return results
    }

    /// Round trips per second of the client library.
    static func pings(_ system: System, _ inFlight: Int, _ seconds: Double) async throws -> Double {
        let begin = Stopwatch.now
        let count = try await withThrowingTaskGroup(of: Int.self) { group in
            for _ in 0..<inFlight {
                group.addTask {
                    var count = 0
                    while Stopwatch.now - begin < seconds {
                        _ = try await system.client.ping()
                        count += 1
                    }
                    return count
                }
            }
            return try await group.reduce(0, +)
        }
        return Double(count) / (Stopwatch.now - begin)
    }
}
