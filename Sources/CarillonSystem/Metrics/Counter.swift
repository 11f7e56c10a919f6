internal import Synchronization

/// A count that only grows. Incrementing is one atomic addition, from any thread.
package final class Counter: Sendable {
    private let count = Atomic<UInt64>(0)

    init() {}

    package func increment(by amount: UInt64 = 1) {
        count.wrappingAdd(amount, ordering: .relaxed)
    }

    /// Restarts at 0. Prometheus treats that as a restart of the process.
    func reset() {
        count.store(0, ordering: .relaxed)
    }

    package var value: UInt64 {
        count.load(ordering: .relaxed)
    }
}
