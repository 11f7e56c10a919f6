internal import CarillonCore
package import CarillonSystem
internal import Synchronization

/// What a worker counts (deploy/METRICS.md).
package final class WorkerMetrics: Sendable {
    /// How a call ended: `success` is a status of 200 to 299, `failure` any other answer or none.
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
            help: "HTTP calls that ended, by result.",
            labels: ["result"]
        )
        calls = Dictionary(uniqueKeysWithValues: Result.allCases.map { ($0, family.with($0.rawValue)) })
        callDuration = registry.histogram(
            "carillon_call_duration_seconds",
            help: "From the hand-over to the HTTP client to the end of the call.",
            bounds: .latencySeconds
        )
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
        registry.gauges("carillon_slots", help: "Calls that can be held, by what they do now.", labels: ["state"]) {
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
        gauge("carillon_outcomes_unacknowledged", "Outcomes that no scheduler has recorded yet.") { $0.unacknowledged }
        gauge("carillon_connected_schedulers", "Schedulers that are connected.") { $0.connections }
        gauge("carillon_leader_connected", "Whether one of them leads.") { $0.leaderEpoch == nil ? 0 : 1 }
        gauge("carillon_draining", "Whether this worker takes no more calls.") { $0.isDraining ? 1 : 0 }
        func counter(_ name: String, _ help: String, _ read: @escaping @Sendable (WorkerEngine.Counters) -> UInt64) {
            registry.counter(name, help: help) { [weak self] in self.map { Double(read($0.status.counters)) } }
        }
        counter("carillon_calls_returned_total", "Calls that went back without having been begun.") { $0.returned }
        counter(
            "carillon_dispatches_stale_total",
            "Calls whose sender does not lead their shard under their epoch, ignored."
        ) { $0.stale }
        counter("carillon_dispatches_repeated_total", "Calls that were there already, ignored.") { $0.duplicates }
        counter(
            "carillon_at_most_once_repeats_total",
            "Dispatches of AT_MOST_ONCE attempts that were begun before; answered and not called again."
        ) { $0.refusedRepeats }
        counter(
            "carillon_outcomes_rejected_total",
            "Outcomes that the scheduler did not accept as they were."
        ) { $0.rejected }
        counter(
            "carillon_acknowledgements_stray_total",
            "Acknowledgements of outcomes that were sent over another connection, ignored."
        ) { $0.strayAcknowledgements }
    }

    /// One frame of the protocol.
    package func frames(direction: String, message: String, count: Int) {
        rpcFrames.with(direction, message).increment(by: UInt64(count))
    }

    /// A connection that ended for a reason of the protocol.
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
