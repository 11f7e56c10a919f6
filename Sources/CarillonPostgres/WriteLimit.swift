/// How long the writer waits for the answer to a batch before it has the statement cancelled: about a lease, doubled for
/// each batch that was cancelled, and back again once the database is quicker.
struct WriteLimit {
    /// At this limit nothing is cancelled any more: a database this slow needs all the time that it takes.
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

    /// A batch was written, and took so long. The next one may take twice as long without being cancelled.
    mutating func sufficed(tookMs: Int64) {
        raisedMs = tookMs * 2 > watch.limitMs ? min(tookMs * 2, Self.largestMs) : nil
    }
}
