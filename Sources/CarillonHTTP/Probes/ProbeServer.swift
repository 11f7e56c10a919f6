internal import CarillonCore
package import CarillonRuntime
package import CarillonSystem
internal import HTTPTypes
internal import HummingbirdCore
package import Logging
internal import NIOCore
internal import Synchronization

/// The HTTP server for those who watch a process: /metrics, /livez and /readyz.
package final class ProbeServer: Sendable {
    private let listen: HostPort
    private let limits: HTTPLimits
    private let responder: ProbeResponder
    private let logger: Logger
    private let close = Mutex<(@Sendable () async -> Void)?>(nil)

    /// - Parameters:
    ///   - listen: port 0 takes a free one.
    ///   - ready: whether the process can do its work, and a sentence that says why not (or what it does). It is called
    ///     on a network thread and may not wait.
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

    /// Begins to listen. To be called once.
    /// - Returns: the address that it listens on, with the port that was taken.
    /// - Throws: `ProbeServerError` when the address cannot be had.
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
            logger.info("metrics and probes are served", metadata: ["address": "\(address)"])
            return address
        }
        let why: String
        do {
            try await running.value
            why = "the server ended at once"
        } catch {
            why = HTTPServer.text(ofListenError: error)
        }
        throw ProbeServerError(message: "cannot listen on \(listen) for metrics and probes: \(why)")
    }

    /// Stops listening; open connections end by themselves.
    package func stop() async {
        let close = close.withLock { close in
            defer { close = nil }
            return close
        }
        await close?()
    }
}

/// The address of the probes cannot be had.
package struct ProbeServerError: Error, Sendable, CustomStringConvertible {
    package var message: String

    package var description: String { message }
}
