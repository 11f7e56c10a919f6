package import CoreMetrics

/// The registry as a factory for swift-metrics: metrics of libraries are served beside the metrics of the process.
///
/// A process registers its own metrics directly, because swift-metrics has no help texts, histogram bounds and values read at a
/// scrape. A library cannot stop the process: metrics that cannot be served are recorded and not shown.
package struct LibraryMetrics: MetricsFactory {
    private let registry: MetricsRegistry

    package init(_ registry: MetricsRegistry) {
        self.registry = registry
    }

    package func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        LibraryCounter(series(LibraryMetricName.counter(label), dimensions, registry.libraryCounters))
    }

    package func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        LibraryGauge(series(LibraryMetricName.gauge(label), dimensions, registry.libraryGauges))
    }

    package func makeRecorder(
        label: String,
        dimensions: [(String, String)],
        aggregate: Bool
    ) -> any RecorderHandler {
        guard aggregate else {
            return LibraryGauge(series(LibraryMetricName.gauge(label), dimensions, registry.libraryGauges))
        }
        return LibraryRecorder(
            series(LibraryMetricName.gauge(label), dimensions) { registry.libraryHistograms($0, bounds: .magnitudes) }
        )
    }

    package func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        LibraryTimer(
            series(LibraryMetricName.timer(label), dimensions) {
                registry.libraryHistograms($0, bounds: .latencySeconds)
            }
        )
    }

    package func destroyCounter(_ handler: any CounterHandler) {
        (handler as? LibraryCounter)?.series.remove()
    }

    package func destroyMeter(_ handler: any MeterHandler) {
        (handler as? LibraryGauge)?.series.remove()
    }

    package func destroyRecorder(_ handler: any RecorderHandler) {
        (handler as? LibraryGauge)?.series.remove()
        (handler as? LibraryRecorder)?.series.remove()
    }

    package func destroyTimer(_ handler: any TimerHandler) {
        (handler as? LibraryTimer)?.series.remove()
    }

    private func series<Metric>(
        _ name: String,
        _ dimensions: [(String, String)],
        _ family: (_ name: String) -> MetricFamily<Metric>
    ) -> LibrarySeries<Metric> {
        LibrarySeries(family(name), LibraryMetricName.labels(dimensions))
    }
}

/// One metric of a library.
private struct LibrarySeries<Metric: Sendable>: Sendable {
    let metric: Metric
    private let family: MetricFamily<Metric>
    private let labels: [String]

    init(_ family: MetricFamily<Metric>, _ labels: [String]) {
        self.family = family
        self.labels = labels
        metric = family.with(labels)
    }

    func remove() {
        family.remove(labels)
    }
}

private final class LibraryCounter: CounterHandler {
    let series: LibrarySeries<Counter>

    init(_ series: LibrarySeries<Counter>) {
        self.series = series
    }

    func increment(by amount: Int64) {
        series.metric.increment(by: UInt64(max(0, amount)))
    }

    func reset() {
        series.metric.reset()
    }
}

private final class LibraryGauge: MeterHandler, RecorderHandler {
    let series: LibrarySeries<Gauge>

    init(_ series: LibrarySeries<Gauge>) {
        self.series = series
    }

    func set(_ value: Int64) { series.metric.set(Double(value)) }
    func set(_ value: Double) { series.metric.set(value) }
    func increment(by amount: Double) { series.metric.add(amount) }
    func decrement(by amount: Double) { series.metric.add(-amount) }
    func record(_ value: Int64) { set(value) }
    func record(_ value: Double) { set(value) }
}

private final class LibraryRecorder: RecorderHandler {
    let series: LibrarySeries<Histogram>

    init(_ series: LibrarySeries<Histogram>) {
        self.series = series
    }

    func record(_ value: Int64) { series.metric.observe(Double(value)) }
    func record(_ value: Double) { series.metric.observe(value) }
}

private final class LibraryTimer: TimerHandler {
    let series: LibrarySeries<Histogram>

    init(_ series: LibrarySeries<Histogram>) {
        self.series = series
    }

    func recordNanoseconds(_ duration: Int64) { series.metric.observe(Double(duration) / 1e9) }
}

extension [Double] {
    /// Bounds for values of an unknown unit.
    fileprivate static let magnitudes: [Double] = [
        0.001, 0.01, 0.1, 1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000, 1_000_000_000,
    ]
}
