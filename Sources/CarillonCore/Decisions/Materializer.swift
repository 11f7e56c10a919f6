/// The progress of materialization.
struct Materializer {
    /// Every due time up to this mark has its row in a batch. The durable rows lag behind by one commit.
    var materializedThrough = Timestamp.distantPast
    /// Whether materialization is paused because too many executions are open.
    var isMaterializationHeld = false
    /// The earliest execution whose row stayed open because the database refused its end. The marks must not pass it.
    private(set) var abandonedTime: Timestamp?

    mutating func begin(at mark: Timestamp) {
        self = Materializer()
        materializedThrough = mark
    }

    /// An execution was removed from memory while its row is still open.
    mutating func abandon(_ id: ExecutionID) {
        abandonedTime = min(abandonedTime ?? id.time, id.time)
    }

    /// Whether rows may be inserted, by the number of open executions: paused at the limit, resumed at nine tenths of
    /// it.
    ///
    /// - Returns: whether rows may be inserted, and whether this call paused materialization.
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
