internal import CarillonCore
internal import CarillonHTTP
internal import CarillonPostgres
internal import CarillonRPC
internal import CarillonRuntime
internal import CarillonScheduler
internal import CarillonSystem
internal import CarillonWire
internal import CoreMetrics
internal import Logging
internal import Synchronization

/// A scheduler process: starts and stops the service, the database connections, the servers and the signal handling.
struct SchedulerProcess {
    var settings: SchedulerSettings
    var logger: Logger

    /// Runs until SIGTERM or SIGINT.
    func run() async throws {
        OpenFileLimit.raise()
        let stop = StopSignal()
        Signals.install { name in stop.raise(name) }
        logger.info("starting", metadata: ["version": "\(CarillonVersion.current)"])

        let registry = MetricsRegistry(component: "carillon-scheduler")
        MetricsSystem.bootstrap(LibraryMetrics(registry))
        let metrics = SchedulerMetrics(registry: registry)
        let held = HeldService()
        metrics.watchDatabase(in: registry) { held.store?.isConnected ?? false }
        let probes = try await startProbes(registry) { held.readiness }
        defer { Task { await probes.stop() } }

        guard try prepareSchema(isStopping: { stop.isRaised }) else {
            logger.info("stopped", metadata: ["signal": "\(stop.name)"])
            return
        }

        let store = PostgresStore(
            configuration: settings.postgres,
            logger: logger,
            onLeaseConnectionLost: { held.service?.leaseConnectionLost($0) },
            onCommit: { metrics.committed(microseconds: $0, rows: $1) }
        )
        let reader = PostgresReader(configuration: settings.postgres, logger: logger)
        held.store = store
        let service = SchedulerService(
            configuration: settings.scheduler,
            store: store,
            reader: reader,
            zones: SystemZones(),
            metrics: metrics,
            logger: logger
        )
        held.service = service
        let server = RPCServer(
            configuration: RPCServer.Configuration(
                host: settings.listen.host,
                port: settings.listen.port,
                limits: ConnectionLimits(heartbeatMs: Int64(settings.scheduler.heartbeatMs))
            ),
            receiver: service,
            metrics: RPCMetrics(
                frames: { metrics.frames(direction: $0.rawValue, message: $1, count: $2) },
                failure: { metrics.failure(kind: $0) }
            ),
            logger: logger
        )
        let address = settings.advertised(port: try await listen(server))
        logger.info("serving workers and clients", metadata: ["address": "\(address)"])
        service.start(address: address.description)
        let upkeep = Task { await service.maintain() }

        await stop.wait()
        logger.info("stopping", metadata: ["signal": "\(stop.name)"])
        upkeep.cancel()
        await service.stop()
        await server.stop()
        store.shutdown()
        reader.shutdown()
        await probes.stop()
        logger.info("stopped")
    }

    /// - Returns: the port of the listening socket.
    private func listen(_ server: RPCServer) async throws -> Int {
        do throws(ClientError) {
            return try await server.start().port
        } catch {
            throw StartFailure(
                "LISTEN (--listen): \(error.text); stop what listens there, or choose another address"
            )
        }
    }

    /// Uses a free port when the default port is taken, for example by another scheduler on this machine.
    private func startProbes(
        _ registry: MetricsRegistry,
        ready: @escaping @Sendable () -> (Bool, String)
    ) async throws -> ProbeServer {
        func server(_ address: HostPort) -> ProbeServer {
            ProbeServer(listen: address, registry: registry, logger: logger, ready: ready)
        }
        let probes = server(settings.metricsListen ?? SchedulerSettings.defaultMetricsListen)
        do throws(ProbeServerError) {
            try await probes.start()
            return probes
        } catch {
            guard settings.metricsListen == nil else {
                throw StartFailure("METRICS_LISTEN (--metrics-listen): \(error.message)")
            }
            let other = server(HostPort(host: SchedulerSettings.defaultMetricsListen.host, port: 0))
            try await other.start()
            return other
        }
    }

    /// Migrates the schema, or checks its version. Waits while the database is down.
    /// - Returns: whether to continue; false after a stop was requested.
    private func prepareSchema(isStopping: @escaping @Sendable () -> Bool) throws -> Bool {
        let migrator = Migrator(url: settings.postgres.url, logger: logger, sessions: settings.postgres.sessions)
        do throws(MigrationError) {
            if settings.migrates {
                try migrator.up(waits: true, isStopping: isStopping)
            }
            try migrator.verify(waits: true, isStopping: isStopping)
            return !isStopping()
        } catch {
            if isStopping() { return false }
            throw error
        }
    }
}

/// Gives access to the service and the store for objects that are created before them.
private final class HeldService: Sendable {
    private let held = Mutex<(service: SchedulerService?, store: PostgresStore?)>((nil, nil))

    var service: SchedulerService? {
        get { held.withLock { $0.service } }
        set { held.withLock { $0.service = newValue } }
    }

    var store: PostgresStore? {
        get { held.withLock { $0.store } }
        set { held.withLock { $0.store = newValue } }
    }

    var readiness: (Bool, String) {
        guard let service else { return (false, "starting: the database schema is not ready yet") }
        let readiness = service.readiness
        return (readiness.isReady, readiness.text)
    }
}
