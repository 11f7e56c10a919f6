/// When results are handed on. Each delivery wakes two threads, which costs more than the result itself: a lone result goes
/// at once, those that follow it gather until they are worth it, or until a millisecond has passed.
struct DeliveryPace {
    /// What need not wait for more.
    static let enough = 16
    static let intervalNanoseconds: Int64 = 1_000_000

    private var next: Int64 = 0

    /// - Parameters:
    ///   - count: results that wait.
    ///   - now: nanoseconds of boot time.
    func isDue(_ count: Int, at now: Int64) -> Bool {
        count >= Self.enough || count > 0 && now >= next
    }

    /// When the results that wait, if any, are due at the latest, in nanoseconds of boot time.
    func deadline(_ count: Int) -> Int64? { count > 0 ? next : nil }

    mutating func delivered(at now: Int64) { next = now + Self.intervalNanoseconds }
}
