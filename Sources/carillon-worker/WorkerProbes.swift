internal import CarillonHTTP
internal import CarillonRuntime
internal import CarillonSystem
internal import CarillonWorker
internal import Logging
internal import Synchronization

/// Metrics and probes. They start before the worker, because the default name of the worker contains their port.
struct WorkerProbes {
    var server: ProbeServer
    var address: HostPort
    let readiness: Readiness

    private static let host = "127.0.0.1"
    /// The default ports. A machine can run this many workers without configured ports.
    private static let ports = 7_072...7_327

    /// Whether the worker can take calls; not ready until there is a worker.
    final class Readiness: Sendable {
        private let service = Mutex<WorkerService?>(nil)

        func set(_ service: WorkerService) {
            self.service.withLock { $0 = service }
        }

        var current: (Bool, String) {
            guard let service = service.withLock({ $0 }) else { return (false, "starting") }
            let readiness = service.readiness
            return (readiness.isReady, readiness.text)
        }
    }

    /// - Parameter address: `nil` takes the first free default port. A configured address that is unavailable is an error.
    static func start(
        at address: HostPort?,
        registry: MetricsRegistry,
        logger: Logger
    ) async throws(StartFailure) -> WorkerProbes {
        let readiness = Readiness()
        func server(_ wanted: HostPort) async throws(StartFailure) -> WorkerProbes {
            let server = ProbeServer(listen: wanted, registry: registry, logger: logger) {
                readiness.current
            }
            do throws(ProbeServerError) {
                return WorkerProbes(server: server, address: try await server.start(), readiness: readiness)
            } catch {
                throw StartFailure("METRICS_LISTEN (--metrics-listen): \(error.message)")
            }
        }
        if let address { return try await server(address) }
        for port in ports.dropLast() {
            if let probes = try? await server(HostPort(host: host, port: port)) { return probes }
        }
        return try await server(HostPort(host: host, port: ports.upperBound))
    }
}
