/// Decides when results are delivered. Each delivery wakes two threads, which costs more than the result itself. A single result
/// is delivered at once; later results are batched until there are enough, or until a millisecond has passed.
struct DeliveryPace {
    /// This many results are delivered at once.
    static let enough = 16
    static let intervalNanoseconds: Int64 = 1_000_000

    private var next: Int64 = 0

    /// - Parameters:
    ///   - count: the waiting results.
    ///   - now: nanoseconds of boot time.
    func isDue(_ count: Int, at now: Int64) -> Bool {
        count >= Self.enough || count > 0 && now >= next
    }

    /// The latest delivery time of the waiting results, in nanoseconds of boot time; `nil` without results.
    func deadline(_ count: Int) -> Int64? { count > 0 ? next : nil }

    mutating func delivered(at now: Int64) { next = now + Self.intervalNanoseconds }
}
