/// The time after which the writer cancels a batch: about a lease, doubled for each cancelled batch, and reduced again when the
/// database is faster.
struct WriteLimit {
    /// At this limit nothing is cancelled any more, because the database needs the time.
    static let largestMs: Int64 = 60_000

    private let watch: LeaseWatch
    private var raisedMs: Int64?

    init(watch: LeaseWatch) {
        self.watch = watch
    }

    var ms: Int64 { max(raisedMs ?? 0, watch.limitMs) }

    var patience: Patience {
        Patience(silenceMs: ms, watch: watch, slowness: ms < Self.largestMs ? .cancel : .wait)
    }

    /// A batch was cancelled.
    mutating func wasTooShort() {
        raisedMs = min(ms * 2, Self.largestMs)
    }

    /// A batch took this long. The next batch may take twice as long.
    mutating func sufficed(tookMs: Int64) {
        raisedMs = tookMs * 2 > watch.limitMs ? min(tookMs * 2, Self.largestMs) : nil
    }
}
