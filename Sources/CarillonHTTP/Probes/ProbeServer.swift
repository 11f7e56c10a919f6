internal import CarillonCore
package import CarillonRuntime
package import CarillonSystem
internal import HTTPTypes
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import Synchronization

/// The HTTP server for monitoring: /metrics, /livez and /readyz.
package final class ProbeServer: Sendable {
    private let listen: HostPort
    private let limits: HTTPLimits
    private let responder: ProbeResponder
    private let logger: Logger
    private let close = Mutex<(@Sendable () async -> Void)?>(nil)

    /// - Parameters:
    ///   - listen: port 0 takes a free one.
    ///   - ready: whether the process can work, and a sentence with its state or the reason. Called on a network thread; must not
    ///     block.
    package init(
        listen: HostPort,
        registry: MetricsRegistry,
        limits: HTTPLimits = .probes,
        logger: Logger,
        ready: @escaping @Sendable () -> (Bool, String)
    ) {
        self.listen = listen
        self.limits = limits
        self.logger = logger
        responder = ProbeResponder(registry: registry, ready: ready)
    }

    /// Starts to listen. Must be called once.
    /// - Returns: the address, with the actual port.
    /// - Throws: `ProbeServerError` when the address is unavailable.
    @discardableResult
    package func start() async throws(ProbeServerError) -> HostPort {
        let (addresses, listening) = AsyncStream.makeStream(of: HostPort.self)
        let responder = responder
        let server = HTTPServer(
            listen: listen,
            limits: limits,
            log: RateLimitedLog(logger),
            malformed: { detail in
                MalformedRequestAnswer(
                    contentType: ProbeResponder.textType,
                    body: detail + "\n",
                    headers: ProbeResponder.protection
                )
            },
            onListening: { [self] address, close in
                self.close.withLock { $0 = close }
                listening.yield(address)
            },
            responder: { request, _ in responder.response(to: request) }
        )
        let running = Task {
            defer { listening.finish() }
            try await server.run()
        }
        for await address in addresses {
            logger.info("serving metrics and probes", metadata: ["address": "\(address)"])
            return address
        }
        let why: String
        do {
            try await running.value
            why = "the server stopped at once"
        } catch {
            why = HTTPServer.text(ofListenError: error)
        }
        throw ProbeServerError(message: "cannot listen on \(listen) for metrics and probes: \(why)")
    }

    /// Stops listening. Open connections end on their own.
    package func stop() async {
        let close = close.withLock { close in
            defer { close = nil }
            return close
        }
        await close?()
    }
}

/// The address of the probe server is unavailable.
package struct ProbeServerError: Error, Sendable, CustomStringConvertible {
    package var message: String

    package var description: String { message }
}
