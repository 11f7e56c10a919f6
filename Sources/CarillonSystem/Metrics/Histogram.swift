internal import Synchronization

/// How often a figure fell into each of a few ranges. Observing is two atomic additions, from any thread.
package final class Histogram: @unchecked Sendable {
    // @unchecked: `buckets` is a pointer that is never changed, and what it points to are atomics.

    /// The upper bounds, rising; one more bucket, without a bound, follows them.
    package let bounds: [Double]
    private let buckets: UnsafeMutablePointer<Atomic<UInt64>>
    private let sum = Atomic<UInt64>(0)

    init(bounds: [Double]) {
        precondition(
            zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 } && bounds.allSatisfy(\.isFinite),
            "the bounds of a histogram rise and are finite: \(bounds)"
        )
        self.bounds = bounds
        buckets = .allocate(capacity: bounds.count + 1)
        for index in 0...bounds.count { (buckets + index).initialize(to: Atomic(0)) }
    }

    deinit {
        buckets.deinitialize(count: bounds.count + 1)
        buckets.deallocate()
    }

    /// `value` in the unit of the name, which is seconds wherever a time is measured.
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

    /// Counts per bucket (not cumulative; the last is what lies above all bounds), and the sum of all values.
    package var snapshot: (counts: [UInt64], sum: Double) {
        let counts = (0...bounds.count).map { buckets[$0].load(ordering: .relaxed) }
        return (counts, Double(bitPattern: sum.load(ordering: .relaxed)))
    }
}

extension [Double] {
    /// From 1 ms to a minute, finer below 100 ms: drift, calls, requests. Seconds.
    package static let latencySeconds: [Double] = [
        0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
    ]
    /// From 100 µs to 10 s: commits, round trips. Seconds.
    package static let commitSeconds: [Double] = [
        0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10,
    ]
}
