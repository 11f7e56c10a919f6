internal import Synchronization

/// Counts observed values by range. Observing is two atomic additions, from any thread.
package final class Histogram: @unchecked Sendable {
    // @unchecked: `buckets` is a constant pointer to atomics.

    /// The ascending upper bounds; a last bucket without a bound follows.
    package let bounds: [Double]
    private let buckets: UnsafeMutablePointer<Atomic<UInt64>>
    private let sum = Atomic<UInt64>(0)

    init(bounds: [Double]) {
        precondition(
            zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 } && bounds.allSatisfy(\.isFinite),
            "histogram bounds must be ascending and finite: \(bounds)"
        )
        self.bounds = bounds
        buckets = .allocate(capacity: bounds.count + 1)
        for index in 0...bounds.count { (buckets + index).initialize(to: Atomic(0)) }
    }

    deinit {
        buckets.deinitialize(count: bounds.count + 1)
        buckets.deallocate()
    }

    /// Counts a value, in the unit of the name; seconds for times.
    package func observe(_ value: Double) {
        guard value.isFinite else { return }
        var low = 0
        var high = bounds.count
        while low < high {
            let middle = (low + high) / 2
            if value <= bounds[middle] { high = middle } else { low = middle + 1 }
        }
        buckets[low].wrappingAdd(1, ordering: .relaxed)
        sum.add(value)
    }

    package func observe(microseconds: some BinaryInteger) {
        observe(Double(microseconds) / 1_000_000)
    }

    /// Counts for each bucket (not cumulative; the last one is above all bounds), and the sum of all values.
    package var snapshot: (counts: [UInt64], sum: Double) {
        let counts = (0...bounds.count).map { buckets[$0].load(ordering: .relaxed) }
        return (counts, Double(bitPattern: sum.load(ordering: .relaxed)))
    }
}

extension [Double] {
    /// From 1 ms to a minute, finer below 100 ms: for drift, calls, requests. In seconds.
    package static let latencySeconds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// From 100 µs to 10 s: for commits and round trips. In seconds.
    package static let commitSeconds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
    ]
}
