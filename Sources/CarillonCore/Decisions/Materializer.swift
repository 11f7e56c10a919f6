/// How far ahead rows are made.
struct Materializer {
    /// Every due time up to here has its row in a batch; what is durable of that lags behind by a commit.
    var materializedThrough = Timestamp.distantPast
    /// Whether no further rows are made, because too many executions are open.
    var isMaterializationHeld = false
    /// The earliest execution whose row stayed open because the database refused its end: the marks stay behind it.
    private(set) var abandonedTime: Timestamp?

    mutating func begin(at mark: Timestamp) {
        self = Materializer()
        materializedThrough = mark
    }

    /// An execution left memory, and its row is open.
    mutating func abandon(_ id: ExecutionID) {
        abandonedTime = min(abandonedTime ?? id.time, id.time)
    }

    /// Whether rows may be made, by the number of open executions. They are held at the limit, and go on below nine tenths of it.
    ///
    /// - Returns: whether they may, and whether this call began to hold them.
    mutating func admits(_ count: Int, limit: Int) -> (admits: Bool, hasJustBegun: Bool) {
        if count >= limit {
            defer { isMaterializationHeld = true }
            return (false, !isMaterializationHeld)
        }
        if isMaterializationHeld, count > limit / 10 * 9 { return (false, false) }
        isMaterializationHeld = false
        return (true, false)
    }
}
