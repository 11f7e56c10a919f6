/// The start and the duration of an attempt, in microseconds of cluster time. They are clamped to the interval from the
/// dispatch to the arrival of the report, because workers are not trusted.
struct CallTimes {
    let started: Int64
    let duration: Int64
    /// Whether the reported times exceed that interval by more than clocks and network explain.
    let isImplausible: Bool

    private static let toleranceMicroseconds: Int64 = 1_000_000

    var finished: Timestamp { Timestamp(milliseconds: (started + duration) / 1_000) }

    /// - Parameters:
    ///   - started: the start according to the best available source.
    ///   - duration: the duration that the worker reported.
    ///   - earliest: the time of the dispatch.
    ///   - latest: the current time.
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
