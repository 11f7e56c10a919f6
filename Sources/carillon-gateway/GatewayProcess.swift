internal import CarillonGateway
internal import CarillonHTTP
internal import CarillonRPC
internal import CarillonRuntime
internal import CarillonSystem
internal import CoreMetrics
internal import Logging
internal import NIOPosix
internal import ServiceLifecycle
internal import Synchronization

/// A gateway process: starts and stops the client, the HTTP server and the signal handling.
struct GatewayProcess {
    var settings: GatewaySettings
    var logger: Logger

    /// The time for requests in flight after a stop was requested.
    private static let drainSeconds: Int64 = 8

    private var configuration: GatewayConfiguration { settings.gateway }

    /// Runs until SIGTERM or SIGINT.
    /// - Throws: `StartFailure` when an address is unavailable.
    func run() async throws {
        OpenFileLimit.raise()
        logger.info(
            "starting",
            metadata: [
                "version": "\(CarillonVersion.current)",
                "schedulers": "\(configuration.schedulers.map(\.description).joined(separator: ","))",
            ]
        )
        let registry = MetricsRegistry(component: "carillon-gateway")
        MetricsSystem.bootstrap(LibraryMetrics(registry))
        let metrics = GatewayMetrics(registry: registry)
        let client = RPCClient(
            RPCClient.Configuration(
                schedulers: configuration.schedulers,
                name: "carillon-gateway",
                version: CarillonVersion.current,
                requestTimeout: .milliseconds(configuration.timeoutMs),
                takeOverWait: .milliseconds(min(configuration.timeoutMs, 8_000))
            ),
            metrics: metrics.rpc,
            logger: logger,
            group: MultiThreadedEventLoopGroup.singleton
        )
        let gateway = Gateway(caller: client, registry: registry, metrics: metrics, logger: logger)
        do {
            let probes = try await startProbes(registry, client)
            try await serve(gateway)
            await probes?.stop()
        } catch {
            await client.close()
            throw error
        }
        await client.close()
        logger.info("stopped")
    }

    private func serve(_ gateway: Gateway) async throws {
        let logger = logger
        let server = GatewayServer.make(gateway, configuration: configuration) { address in
            logger.info("listening", metadata: ["address": "\(address)"])
        }
        var lifecycle = ServiceGroupConfiguration(
            services: [server],
            logger: Logger(label: "http") { _ in SwiftLogNoOpLogHandler() }
        )
        lifecycle.maximumGracefulShutdownDuration = .seconds(Self.drainSeconds)
        let group = ServiceGroup(configuration: lifecycle)
        let stopping = Stopping()
        Signals.install { name in
            logger.info("stopping", metadata: ["signal": "\(name)"])
            stopping.begin()
            Task { await group.triggerGracefulShutdown() }
        }
        do {
            try await group.run()
        } catch {
            // Requests that are cut off when the time is over do not make the stop a failure.
            guard !stopping.hasBegun else { return }
            throw StartFailure(
                "LISTEN (--listen): cannot listen on \(configuration.listen): \(HTTPServer.text(ofListenError: error)); "
                    + "stop what listens there, or choose another address"
            )
        }
    }

    private func startProbes(_ registry: MetricsRegistry, _ client: RPCClient) async throws -> ProbeServer? {
        guard let address = configuration.metricsListen else { return nil }
        let probes = ProbeServer(listen: address, registry: registry, logger: logger) {
            client.peers.isEmpty ? (false, "no scheduler is connected") : (true, "ready")
        }
        do throws(ProbeServerError) {
            try await probes.start()
        } catch {
            throw StartFailure("METRICS_LISTEN (--metrics-listen): \(error.message)")
        }
        return probes
    }
}

/// Whether a stop was requested.
private final class Stopping: Sendable {
    private let begun = Atomic(false)

    var hasBegun: Bool { begun.load(ordering: .sequentiallyConsistent) }

    func begin() { begun.store(true, ordering: .sequentiallyConsistent) }
}
