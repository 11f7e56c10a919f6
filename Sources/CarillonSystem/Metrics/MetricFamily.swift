internal import Synchronization

/// Metrics of one name that differ in the values of their labels.
///
/// A series is made when its values are first seen. There are at most `seriesLimit` of them: labels come from the
/// outside (a worker's name), and memory is bounded. What comes after has the value `other` in every label.
package final class MetricFamily<Metric: Sendable>: Sendable {
    package static var seriesLimit: Int { 1_000 }

    private let make: @Sendable () -> Metric
    /// `nil`: each series has labels of its own, and its values are their names and values in turn.
    private let labelCount: Int?
    private let series = Mutex<[[String]: Metric]>([:])

    init(labelCount: Int?, make: @escaping @Sendable () -> Metric) {
        self.labelCount = labelCount
        self.make = make
    }

    /// The metric with these values, in the order of the labels' names. Worth keeping where it is used often.
    package func with(_ values: String...) -> Metric {
        with(values)
    }

    package func with(_ values: [String]) -> Metric {
        precondition(
            labelCount.map { values.count == $0 } ?? values.count.isMultiple(of: 2),
            "\(labelCount ?? 0) label values are needed, not \(values)"
        )
        return series.withLock { series in
            if let known = series[values] { return known }
            var values = values
            if series.count >= Self.seriesLimit {
                values = labelCount.map { Array(repeating: "other", count: $0) } ?? []
                if let other = series[values] { return other }
            }
            let metric = make()
            series[values] = metric
            return metric
        }
    }

    /// Forgets a series: what it spoke of is gone.
    package func remove(_ values: String...) {
        remove(values)
    }

    func remove(_ values: [String]) {
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
