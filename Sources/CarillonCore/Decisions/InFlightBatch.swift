/// The batch that is on its way to the database.
struct InFlightBatch {
    var batch: PendingBatch
    let sequence: UInt64
    let sentAt: BootTime
    /// Every due time up to here has its row in this batch, in an earlier one, or in another part of the same batch.
    var materializedThrough: Timestamp
}
