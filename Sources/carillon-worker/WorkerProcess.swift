internal import CarillonCore
internal import CarillonCurl
internal import CarillonHTTP
internal import CarillonRPC
internal import CarillonRuntime
internal import CarillonSystem
internal import CarillonWire
internal import CarillonWorker
internal import CoreMetrics
internal import Logging

/// A worker process: starts and stops the service, libcurl, the probes and the signal handling.
struct WorkerProcess {
    var settings: WorkerSettings
    var logger: Logger

    /// Runs until SIGTERM or SIGINT.
    func run() async throws(StartFailure) {
        let files = OpenFileLimit.raise()
        let registry = MetricsRegistry(component: "carillon-worker")
        MetricsSystem.bootstrap(LibraryMetrics(registry))
        let metrics = WorkerMetrics(registry: registry)
        let probes = try await WorkerProbes.start(at: settings.metrics, registry: registry, logger: logger)
        let name = settings.name(metricsPort: probes.address.port)
        // Boxed, because the thread sanitizer needs an address for an inout argument, and an empty value has none.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        let loops = min(4, ProcessorCount.online)
        let configuration = WorkerConfiguration(
            name: name,
            bootID: UniqueID.random(using: &random),
            maxWorkers: settings.maxWorkers,
            version: CarillonVersion.current
        )
        let service = WorkerService(
            configuration: configuration,
            dialer: dialer(metrics),
            metrics: metrics,
            logger: logger
        ) { [maxWorkers = settings.maxWorkers, age = settings.connectionMaxAgeSeconds] deliver in
            CurlCaller(maxCalls: maxWorkers, loops: loops, maxConnectionAgeSeconds: age, deliver: deliver)
        }
        logger.info(
            "starting worker",
            metadata: [
                "name": "\(name)", "boot_id": "\(configuration.bootID)", "max_workers": "\(settings.maxWorkers)",
                "schedulers": "\(settings.schedulers.map(\.description).joined(separator: ","))",
                "version": "\(CarillonVersion.current)",
            ]
        )
        // One socket for each call, idle connections of each loop, and briefly one for each name lookup.
        let needed = UInt64(settings.maxWorkers * loops) + 128
        if files < needed {
            logger.warning(
                "limit of open files too low for calls and idle connections; raise it with ulimit -n",
                metadata: [
                    "open_files": "\(files)", "needed": "\(needed)", "max_workers": "\(settings.maxWorkers)",
                ]
            )
        }
        probes.readiness.set(service)
        service.start()
        let signal = await Signals.untilStopped()
        logger.info("stopping", metadata: ["signal": "\(signal)"])
        await service.drain()
        await probes.server.stop()
        logger.info("stopped")
    }

    private func dialer(_ metrics: WorkerMetrics) -> RPCDialer {
        RPCDialer(
            schedulers: settings.schedulers,
            limits: ConnectionLimits(heartbeatMs: Int64(settings.heartbeatMs)),
            metrics: RPCMetrics(
                frames: { metrics.frames(direction: $0.rawValue, message: $1, count: $2) },
                failure: { metrics.failure(kind: $0) }
            ),
            logger: logger
        )
    }
}
