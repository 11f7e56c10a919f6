/// A cancel request, answered when its execution ends, or at `until` with the current state.
struct PendingCancel {
    var requestID: RequestID
    var id: ExecutionID
    var until: BootTime
}
