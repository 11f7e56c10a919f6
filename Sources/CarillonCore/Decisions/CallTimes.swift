/// When an attempt began and ended, in microseconds of cluster time: within [its dispatch, the arrival of its report], whatever
/// the worker says.
struct CallTimes {
    let started: Int64
    let duration: Int64
    /// Whether what the worker says is impossible, by more than clocks and the network explain.
    let isImplausible: Bool

    private static let toleranceMicroseconds: Int64 = 1_000_000

    var finished: Timestamp { Timestamp(milliseconds: (started + duration) / 1_000) }

    /// - Parameters:
    ///   - started: what the best source says of the start.
    ///   - duration: by the worker's word.
    ///   - earliest: the dispatch.
    ///   - latest: now.
    init(started: Int64, duration: UInt64, earliest: Int64, latest: Int64) {
        if InjectedFault.believesEveryNumber.isActive {
            (self.started, self.duration, isImplausible) = (started, Int64(min(duration, 1 << 60)), false)
            return
        }
        let earliest = min(earliest, latest)
        self.duration = min(Int64(clamping: duration), latest - earliest)
        self.started = max(earliest, min(started, latest - self.duration))
        isImplausible =
            duration > UInt64(clamping: self.duration + Self.toleranceMicroseconds)
            || abs(started - self.started) > Self.toleranceMicroseconds
    }
}
