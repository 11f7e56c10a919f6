internal import Synchronization

/// A value that goes up and down. Setting is one atomic store, from any thread.
package final class Gauge: Sendable {
    private let bits = Atomic<UInt64>(0)

    init() {}

    package func set(_ value: Double) {
        bits.store(value.bitPattern, ordering: .relaxed)
    }

    package func set(_ value: Int) {
        set(Double(value))
    }

    package func add(_ amount: Double) {
        bits.add(amount)
    }

    package var value: Double {
        Double(bitPattern: bits.load(ordering: .relaxed))
    }
}

extension Atomic<UInt64> {
    /// Adds to the Double whose bit pattern is stored.
    func add(_ amount: Double) {
        var seen = load(ordering: .relaxed)
        while true {
            let sum = (Double(bitPattern: seen) + amount).bitPattern
            let (isExchanged, current) = weakCompareExchange(expected: seen, desired: sum, ordering: .relaxed)
            if isExchanged { return }
            seen = current
        }
    }
}
