import CarillonCore
import CarillonRPC
import CarillonWire
import Glibc
import NIOCore
import NIOPosix
import TestSupport

extension Measurement {
    /// Ping compared with grpc-swift-2 with the same number of bytes in both directions.
    static let grpc = Measurement(name: "grpc", title: "round trips a second of ping, against grpc-swift-2") { bench in
        let program = "\(bench.home)/.build-peers/swift/release/grpc-ping"
        guard access(program, X_OK) == 0 else {
            throw Bench.Failure(description: "\(program) does not exist; run `make bench-peers`")
        }
        let system = try System(bench)
        try await system.start()
        let port = try FreePort.take()
        let server = try ChildProgram(program, ["serve", "\(port)"], output: bench.folder + "/grpc.log")
        while !FreePort.answers(port) {
            guard server.isRunning else { throw Bench.Failure(description: "grpc-ping ended: \(server.text)") }
            try await Stopwatch.sleep(0.02)
        }
        let near = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        var random = SystemRandomNumberGenerator()
        let hello = MessageCodec.frame(
            of: Envelope(.hello(Hello(role: .client, name: "bench", bootID: UniqueID.random(using: &random))))
        )
        let ping = MessageCodec.frame(of: Envelope(id: 7, .ping(sentMicroseconds: 1_795_464_000_000_000)))
        let bytes = ping.count - FrameEncoder.headerBytes
        let seconds = bench.quick ? 1 : 4
        var results = Results()
        for inFlight in [1, 256] {
            func asked(_ kind: String) throws -> Double {
                let words = [kind, "\(port)", "\(bytes)", "\(inFlight)", "\(seconds)"]
                return Double(try ChildProgram.run(program, words)) ?? .nan
            }
            var (unary, stream, served, called) = ([Double](), [Double](), [Double](), [Double]())
            for _ in 0..<bench.shortRounds {
                unary.append(try asked("unary"))
                stream.append(try asked("stream"))
                served.append(
                    try await FramePeer.measure(
                        port: system.port,
                        hello: hello,
                        frame: ping,
                        inFlight: inFlight,
                        seconds: Double(seconds),
                        on: near
                    )
                )
                called.append(try await pings(system, inFlight, Double(seconds)))
            }
            for (name, samples) in [("the scheduler", served), ("with RPCClient.ping", called)] {
                for (kind, limit) in [("unary calls", unary), ("one stream", stream)] {
                    results.figures.append(
                        Figure(
                            "\(name), \(inFlight) in flight",
                            "1/s",
                            samples,
                            limit: Figure.Limit(name: "gRPC, \(kind)", samples: Samples(limit)),
                            wanted: .ratioAtLeast(3)
                        )
                    )
                }
            }
        }
        server.killNow()
        try await near.shutdownGracefully()
        try await system.stop()
        return results
    }
}
