internal import CarillonCore
package import CarillonSystem
internal import CarillonWire
internal import Synchronization

/// What a scheduler counts (deploy/METRICS.md).
package final class SchedulerMetrics: Sendable {
    private let executions: MetricFamily<Counter>
    private let drift: Histogram
    private let callDuration: Histogram
    private let commitDuration: Histogram
    private let commitRows: Counter
    private let rpcFrames: MetricFamily<Counter>
    private let rpcErrors: MetricFamily<Counter>
    private let sources = Mutex(Sources())

    /// Where the readings come from.
    private struct Sources: Sendable {
        var status: @Sendable () -> Status = { Status() }
        var workerNames: @Sendable () -> [ConnectionID: String] = { [:] }
    }

    package init(registry: MetricsRegistry) {
        executions = registry.counters(
            "carillon_executions_total",
            help: "Executions that ended, by status.",
            labels: ["status"]
        )
        for status in ExecutionStatus.allCases where status.isFinal { _ = executions.with(status.rawValue) }
        drift = registry.histogram(
            "carillon_drift_seconds",
            help: "Actual start of the first attempt less the scheduled time.",
            bounds: .latencySeconds
        )
        callDuration = registry.histogram(
            "carillon_call_duration_seconds",
            help: "How long the last call of an execution took.",
            bounds: .latencySeconds
        )
        commitDuration = registry.histogram(
            "carillon_commit_duration_seconds",
            help: "From the hand-over of a batch to the database's answer.",
            bounds: .commitSeconds
        )
        commitRows = registry.counter("carillon_commit_rows_total", help: "Rows written in batches.")
        rpcFrames = registry.counters(
            "carillon_rpc_frames_total",
            help: "Frames of the protocol.",
            labels: ["direction", "message"]
        )
        rpcErrors = registry.counters(
            "carillon_rpc_errors_total",
            help: "Connections that ended for a reason of the protocol.",
            labels: ["kind"]
        )
        registerReadings(in: registry)
    }

    private func registerReadings(in registry: MetricsRegistry) {
        func gauge(_ name: String, _ help: String, _ read: @escaping @Sendable (Status) -> Int) {
            registry.gauge(name, help: help) { [weak self] in self.map { Double(read($0.status)) } }
        }
        gauge("carillon_ready_queue_depth", "Due executions that wait for a free slot.") { $0.readyQueueDepth }
        gauge("carillon_heap_size", "Timers that are set.") { $0.heapSize }
        gauge("carillon_jobs", "Jobs, paused ones too.") { $0.jobs }
        gauge("carillon_jobs_active", "Jobs whose schedule makes executions.") { $0.activeJobs }
        gauge("carillon_jobs_last_failed", "Jobs whose last execution failed.") { $0.lastFailed }
        gauge("carillon_open_executions", "Executions that are not over.") { $0.openExecutions }
        gauge("carillon_leases_held", "Shards that this scheduler leads.") { $0.isLeading ? 16 : 0 }
        gauge("carillon_lease_epoch", "The epoch of the lease held; 0 without one.") { Int($0.epoch ?? 0) }
        registry.counter("carillon_late_reports_total", help: "Reports of workers that came too late or twice.") {
            [weak self] in self.map { Double($0.status.counters.lateReports) }
        }
        func counter(_ name: String, _ help: String, _ read: @escaping @Sendable (Dispatcher.Counters) -> UInt64) {
            registry.counter(name, help: help) { [weak self] in self.map { Double(read($0.status.counters)) } }
        }
        counter(
            "carillon_foreign_reports_total",
            "Reports of workers about calls that were not issued to them; without effect."
        ) { $0.foreignReports }
        counter(
            "carillon_invalid_reports_total",
            "Reports of workers that contradict themselves or an earlier report."
        ) { $0.invalidReports }
        counter(
            "carillon_overdue_calls_total",
            "Calls that a worker did not report within their timeout and a grace period."
        ) { $0.overdueCalls }
        registry.counters("carillon_attempts_total", help: "Attempts that ended, by result.", labels: ["result"]) {
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
        perWorker("carillon_worker_in_flight", "Calls that a worker has.") { inFlight, _ in inFlight }
        perWorker("carillon_worker_free_slots", "Calls that a worker has offered to take.") { _, free in free }
    }

    /// Whether the database can be reached.
    package func watchDatabase(in registry: MetricsRegistry, isConnected: @escaping @Sendable () -> Bool) {
        registry.gauge("carillon_database_connected", help: "Whether the writing connection is there.") {
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

    /// Sets where the readings come from. They are made when the metrics are asked for.
    func read(
        status: @escaping @Sendable () -> Status,
        workerNames: @escaping @Sendable () -> [ConnectionID: String]
    ) {
        sources.withLock { $0 = Sources(status: status, workerNames: workerNames) }
    }
}
