/// A cancel request that is answered when its execution is over, or at `until` as it stands then.
struct PendingCancel {
    var requestID: RequestID
    var id: ExecutionID
    var until: BootTime
}
