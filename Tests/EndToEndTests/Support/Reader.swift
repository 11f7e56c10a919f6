import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A user who reads one thing through the gateway all the time, with a connection for each time, and remembers what was no
/// answer.
final class Reader: Sendable {
    private struct State {
        var answered = 0
        var wrong: [String] = []
        var mayBeRefused = false
        var isOver = false
    }

    private let state = Mutex(State())

    init(_ path: String, at port: Int) {
        Task { [self] in
            while !state.withLock({ $0.isOver }) {
                let status = await Self.status(of: path, at: port)
                state.withLock { state in
                    switch status {
                    case 200: state.answered += 1
                    // Nobody listens, or stops listening just now.
                    case nil where state.mayBeRefused: break
                    default: state.wrong.append(status.map(String.init) ?? "no connection")
                    }
                }
                try? await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    var answered: Int { state.withLock { $0.answered } }
    var wrong: [String] { state.withLock { $0.wrong } }

    func mayBeRefused(_ may: Bool) { state.withLock { $0.mayBeRefused = may } }
    func stop() { state.withLock { $0.isOver = true } }

    /// Returns when three more reads were answered.
    func untilAnswered() async throws {
        let before = answered
        while answered < before + 3 { try await Task.sleep(for: .milliseconds(10)) }
    }

    /// The status that a GET is answered with; `nil` without a whole answer.
    static func status(of path: String, at port: Int) async -> Int? {
        do {
            let (channel, answer) = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                .connect(host: "127.0.0.1", port: port)
                .flatMap { channel in
                    channel.eventLoop.makeCompletedFuture {
                        let promise = channel.eventLoop.makePromise(of: Int.self)
                        do {
                            try channel.pipeline.syncOperations.addHTTPClientHandlers()
                            try channel.pipeline.syncOperations.addHandler(Answer(promise))
                        } catch {
                            promise.fail(error)
                        }
                        return (channel, promise.futureResult)
                    }
                }
                .get()
            let head = HTTPRequestHead(
                version: .http1_1,
                method: .GET,
                uri: path,
                headers: ["host": "127.0.0.1", "connection": "close"]
            )
            channel.write(HTTPClientRequestPart.head(head), promise: nil)
            channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
            return try await answer.get()
        } catch {
            return nil
        }
    }

    private final class Answer: ChannelInboundHandler {
        typealias InboundIn = HTTPClientResponsePart

        private let promise: EventLoopPromise<Int>
        private var status = 0

        init(_ promise: EventLoopPromise<Int>) { self.promise = promise }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head): status = Int(head.status.code)
            case .body: break
            case .end:
                promise.succeed(status)
                context.close(promise: nil)
            }
        }

        func handlerRemoved(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            promise.fail(error)
            context.close(promise: nil)
        }
    }
}
