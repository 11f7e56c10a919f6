internal import Synchronization

/// Metrics of one name that differ in the values of their labels.
///
/// A series is made when its values are first seen. There are at most `seriesLimit` of them: labels come from the
/// outside (a worker's name), and memory is bounded. What comes after has the value `other` in every label.
package final class MetricFamily<Metric: Sendable>: Sendable {
    package static var seriesLimit: Int { 1_000 }

    private let make: @Sendable () -> Metric
    private let labelCount: Int
    private let series = Mutex<[[String]: Metric]>([:])

    init(labelCount: Int, make: @escaping @Sendable () -> Metric) {
        self.labelCount = labelCount
        self.make = make
    }

    /// The metric with these values, in the order of the labels' names. Worth keeping where it is used often.
    package func with(_ values: String...) -> Metric {
        with(values)
    }

    package func with(_ values: [String]) -> Metric {
        precondition(values.count == labelCount, "\(labelCount) label values are needed, not \(values)")
        return series.withLock { series in
            if let known = series[values] { return known }
            var values = values
            if series.count >= Self.seriesLimit {
                values = Array(repeating: "other", count: labelCount)
                if let other = series[values] { return other }
            }
            let metric = make()
            series[values] = metric
            return metric
        }
    }

    /// Forgets a series: what it spoke of is gone.
    package func remove(_ values: String...) {
        series.withLock { $0[values] = nil }
    }

    /// All series, ordered by their values.
    var all: [(values: [String], metric: Metric)] {
        series.withLock { series in
            series.map { (values: $0.key, metric: $0.value) }
        }
        .sorted { $0.values.lexicographicallyPrecedes($1.values) }
    }
}
