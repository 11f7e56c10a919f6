internal import Synchronization

/// Metrics with one name and different label values.
///
/// A series is created when its values are first seen. Labels come from outside (a worker's name), so there are at most
/// `seriesLimit` series; further ones share the value `other` in every label.
package final class MetricFamily<Metric: Sendable>: Sendable {
    package static var seriesLimit: Int { 1_000 }

    private let make: @Sendable () -> Metric
    /// `nil`: each series has its own labels, and its values are alternating names and values.
    private let labelCount: Int?
    private let series = Mutex<[[String]: Metric]>([:])

    init(labelCount: Int?, make: @escaping @Sendable () -> Metric) {
        self.labelCount = labelCount
        self.make = make
    }

    /// The metric with these label values, in the order of the labels. Keep the result where it is used often.
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

    /// Removes the series of something that no longer exists.
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
