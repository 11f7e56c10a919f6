internal import CarillonCore
package import CarillonSystem
internal import Synchronization

/// The worker's metrics (deploy/METRICS.md).
package final class WorkerMetrics: Sendable {
    /// The result of a call: `success` is a status of 200 to 299, `failure` any other status or none.
    private enum Result: String, CaseIterable {
        case success, failure
        case notSent = "not_sent"
        case cancelled
    }

    private let calls: [Result: Counter]
    private let callDuration: Histogram
    private let rpcFrames: MetricFamily<Counter>
    private let rpcErrors: MetricFamily<Counter>
    private let latest = Mutex(WorkerStatus())

    package init(registry: MetricsRegistry) {
        let family = registry.counters(
            "carillon_calls_total",
            help: "Finished HTTP calls, by result.",
            labels: ["result"]
        )
        calls = Dictionary(uniqueKeysWithValues: Result.allCases.map { ($0, family.with($0.rawValue)) })
        callDuration = registry.histogram(
            "carillon_call_duration_seconds",
            help: "Time from the hand-over to the HTTP client to the end of the call.",
            bounds: .latencySeconds
        )
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
        registry.gauges("carillon_slots", help: "Call slots, by state.", labels: ["state"]) {
            [weak self] in
            guard let status = self?.status else { return [] }
            return [
                (["free"], Double(status.free)), (["running"], Double(status.running)),
                (["unacknowledged"], Double(status.unacknowledged)), (["waiting"], Double(status.waiting)),
            ]
        }
        func gauge(_ name: String, _ help: String, _ read: @escaping @Sendable (WorkerStatus) -> Int) {
            registry.gauge(name, help: help) { [weak self] in self.map { Double(read($0.status)) } }
        }
        gauge("carillon_outcomes_unacknowledged", "Outcomes not yet recorded by a scheduler.") { $0.unacknowledged }
        gauge("carillon_connected_schedulers", "Connected schedulers.") { $0.connections }
        gauge("carillon_leader_connected", "Whether a connected scheduler leads.") { $0.leaderEpoch == nil ? 0 : 1 }
        gauge("carillon_draining", "Whether the worker is stopping and takes no calls.") { $0.isDraining ? 1 : 0 }
        func counter(_ name: String, _ help: String, _ read: @escaping @Sendable (WorkerEngine.Counters) -> UInt64) {
            registry.counter(name, help: help) { [weak self] in self.map { Double(read($0.status.counters)) } }
        }
        counter("carillon_calls_returned_total", "Calls returned without having been started.") { $0.returned }
        counter(
            "carillon_dispatches_stale_total",
            "Calls from a scheduler that does not lead their shard with their epoch; ignored."
        ) { $0.stale }
        counter("carillon_dispatches_repeated_total", "Calls that the worker already had; ignored.") { $0.duplicates }
        counter(
            "carillon_at_most_once_repeats_total",
            "Repeated dispatches of AT_MOST_ONCE attempts that were already started; not called again."
        ) { $0.refusedRepeats }
        counter(
            "carillon_outcomes_rejected_total",
            "Outcomes that the scheduler rejected or corrected."
        ) { $0.rejected }
        counter(
            "carillon_acknowledgements_stray_total",
            "Acknowledgements of outcomes sent over another connection; ignored."
        ) { $0.strayAcknowledgements }
    }

    /// Counts protocol frames.
    package func frames(direction: String, message: String, count: Int) {
        rpcFrames.with(direction, message).increment(by: UInt64(count))
    }

    /// Counts a connection that ended with a protocol error.
    package func failure(kind: String) {
        rpcErrors.with(kind).increment()
    }

    var status: WorkerStatus { latest.withLock { $0 } }

    func update(_ status: WorkerStatus) {
        latest.withLock { $0 = status }
    }

    func record(_ results: [HTTPResult]) {
        for result in results {
            calls[kind(of: result)]?.increment()
            callDuration.observe(microseconds: result.durationMicroseconds)
        }
    }

    private func kind(of result: HTTPResult) -> Result {
        switch result.kind {
        case .answered: 200..<300 ~= result.httpStatus ?? 0 ? .success : .failure
        case .failed, .unknown: .failure
        case .notSent, .notStarted: .notSent
        case .cancelled: .cancelled
        }
    }
}
