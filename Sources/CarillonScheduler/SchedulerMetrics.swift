internal import CarillonCore
package import CarillonSystem
internal import CarillonWire
internal import Synchronization

/// The scheduler's metrics (deploy/METRICS.md).
package final class SchedulerMetrics: Sendable {
    private let executions: MetricFamily<Counter>
    private let drift: Histogram
    private let callDuration: Histogram
    private let commitDuration: Histogram
    private let commitRows: Counter
    private let rpcFrames: MetricFamily<Counter>
    private let rpcErrors: MetricFamily<Counter>
    private let sources = Mutex(Sources())

    /// The sources of the gauges.
    private struct Sources: Sendable {
        var status: @Sendable () -> Status = { Status() }
        var workerNames: @Sendable () -> [ConnectionID: String] = { [:] }
    }

    package init(registry: MetricsRegistry) {
        executions = registry.counters(
            "carillon_executions_total",
            help: "Finished executions, by status.",
            labels: ["status"]
        )
        for status in ExecutionStatus.allCases where status.isFinal { _ = executions.with(status.rawValue) }
        drift = registry.histogram(
            "carillon_drift_seconds",
            help: "Start of the first attempt minus the scheduled time.",
            bounds: .latencySeconds
        )
        callDuration = registry.histogram(
            "carillon_call_duration_seconds",
            help: "Duration of the last call of an execution.",
            bounds: .latencySeconds
        )
        commitDuration = registry.histogram(
            "carillon_commit_duration_seconds",
            help: "Time from the submission of a batch to the database's answer.",
            bounds: .commitSeconds
        )
        commitRows = registry.counter("carillon_commit_rows_total", help: "Rows written, in all batches.")
        rpcFrames = registry.counters(
            "carillon_rpc_frames_total",
            help: "Protocol frames, by direction and message.",
            labels: ["direction", "message"]
        )
        rpcErrors = registry.counters(
            "carillon_rpc_errors_total",
            help: "Connections that ended with a protocol error, by kind.",
            labels: ["kind"]
        )
        registerReadings(in: registry)
    }

    private func registerReadings(in registry: MetricsRegistry) {
        func gauge(_ name: String, _ help: String, _ read: @escaping @Sendable (Status) -> Int) {
            registry.gauge(name, help: help) { [weak self] in self.map { Double(read($0.status)) } }
        }
        gauge("carillon_ready_queue_depth", "Due executions waiting for a free slot.") { $0.readyQueueDepth }
        gauge("carillon_heap_size", "Timers in the heap.") { $0.heapSize }
        gauge("carillon_jobs", "Jobs, including paused jobs.") { $0.jobs }
        gauge("carillon_jobs_active", "Jobs with an active schedule.") { $0.activeJobs }
        gauge("carillon_jobs_last_failed", "Jobs whose last execution failed.") { $0.lastFailed }
        gauge("carillon_open_executions", "Executions that have not finished.") { $0.openExecutions }
        gauge("carillon_leases_held", "Shards led by this scheduler.") { $0.isLeading ? 16 : 0 }
        gauge("carillon_lease_epoch", "The epoch of the lease held; 0 without one.") { Int($0.epoch ?? 0) }
        registry.counter("carillon_late_reports_total", help: "Worker reports that arrived too late or twice.") {
            [weak self] in self.map { Double($0.status.counters.lateReports) }
        }
        func counter(_ name: String, _ help: String, _ read: @escaping @Sendable (Dispatcher.Counters) -> UInt64) {
            registry.counter(name, help: help) { [weak self] in self.map { Double(read($0.status.counters)) } }
        }
        counter(
            "carillon_foreign_reports_total",
            "Worker reports about calls that the worker was never given; ignored."
        ) { $0.foreignReports }
        counter(
            "carillon_invalid_reports_total",
            "Worker reports that contradict themselves or an earlier report."
        ) { $0.invalidReports }
        counter(
            "carillon_overdue_calls_total",
            "Calls not reported by the worker within their timeout plus a grace period."
        ) { $0.overdueCalls }
        registry.counters("carillon_attempts_total", help: "Finished attempts, by result.", labels: ["result"]) {
            [weak self] in
            guard let counters = self?.status.counters else { return [] }
            return [
                (["success"], Double(counters.succeededAttempts)), (["failure"], Double(counters.failedAttempts)),
                (["not_sent"], Double(counters.unsentAttempts)), (["cancelled"], Double(counters.cancelledAttempts)),
                (["returned"], Double(counters.returnedAttempts)), (["lost"], Double(counters.lostAttempts)),
            ]
        }
        func perWorker(_ name: String, _ help: String, _ read: @escaping @Sendable (Int, Int) -> Int) {
            registry.gauges(name, help: help, labels: ["worker"]) { [weak self] in
                guard let self, status.isLeading else { return [] }
                let names = sources.withLock({ $0 }).workerNames()
                return status.workers.compactMap { link, slots in
                    names[link].map { ([$0], Double(read(slots.inFlight, slots.freeSlots))) }
                }.sorted { $0.0[0] < $1.0[0] }
            }
        }
        perWorker("carillon_worker_in_flight", "Calls held by a worker.") { inFlight, _ in inFlight }
        perWorker("carillon_worker_free_slots", "Further calls that a worker accepts.") { _, free in free }
    }

    /// Registers the gauge for the database connection.
    package func watchDatabase(in registry: MetricsRegistry, isConnected: @escaping @Sendable () -> Bool) {
        registry.gauge("carillon_database_connected", help: "Whether the writing connection is open, 1 or 0.") {
            isConnected() ? 1 : 0
        }
    }

    package func committed(microseconds: UInt64, rows: Int) {
        commitDuration.observe(microseconds: microseconds)
        commitRows.increment(by: UInt64(rows))
    }

    package func frames(direction: String, message: String, count: Int) {
        rpcFrames.with(direction, message).increment(by: UInt64(count))
    }

    package func failure(kind: String) {
        rpcErrors.with(kind).increment()
    }

    private var status: Status { sources.withLock({ $0 }).status() }

    func record(_ rows: [Execution]) {
        for row in rows where row.status.isFinal {
            executions.with(row.status.rawValue).increment()
            if let microseconds = row.driftMicroseconds { drift.observe(microseconds: max(0, microseconds)) }
            if let microseconds = row.durationMicroseconds { callDuration.observe(microseconds: microseconds) }
        }
    }

    /// Sets the sources of the gauges. They are read on each scrape.
    func read(
        status: @escaping @Sendable () -> Status,
        workerNames: @escaping @Sendable () -> [ConnectionID: String]
    ) {
        sources.withLock { $0 = Sources(status: status, workerNames: workerNames) }
    }
}
