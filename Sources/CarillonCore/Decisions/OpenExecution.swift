/// An open execution in the leader's memory.
struct OpenExecution {
    enum State: Equatable {
        /// The row is in a batch that is not durable yet.
        case inserting
        /// The row is durable; the execution waits for its time.
        case armed
        /// Due; waits for a free slot. A timer ends the wait if the start has a deadline.
        case ready
        /// AT_MOST_ONCE: the claim is in a batch, with a slot reserved.
        case claiming(ConnectionID)
        /// A worker has the call.
        case dispatched(ConnectionID)
        /// The connection of the worker with the call was lost; the worker may reconnect.
        case disconnected(worker: String)
        /// Taken over; no worker has reported the call yet.
        case recovered
        /// Waits for the next attempt.
        case retrying
        /// AT_MOST_ONCE: claimed, but held by no worker; becomes UNKNOWN when its timer expires.
        case outcomePending
        /// The end is in a batch that is not durable yet.
        case recording

        /// Whether a timer ends this state.
        var waitsForTime: Bool {
            switch self {
            case .armed, .retrying, .outcomePending: true
            case .inserting, .ready, .claiming, .dispatched, .disconnected, .recovered, .recording: false
            }
        }

        var holder: Holder? {
            switch self {
            case .dispatched(let link): .connection(link)
            case .disconnected(let worker): .worker(worker)
            case .outcomePending: .unassigned
            case .inserting, .armed, .ready, .claiming, .recovered, .retrying, .recording: nil
            }
        }
    }

    /// The holder of the current attempt, or the worker that should know about it: the index for worker connects and
    /// disconnects.
    enum Holder: Hashable {
        case connection(ConnectionID)
        case worker(String)
        /// AT_MOST_ONCE: no worker is known to hold the call.
        case unassigned
    }

    var execution: Execution
    var job: Int32
    var state: State
    /// The status in the row, as far as known.
    var rowStatus: ExecutionStatus = .pending
    /// Cluster time of the current dispatch, microseconds.
    var dispatchedMicroseconds: Int64 = 0
    /// The reason of a cancel request that arrived while a worker had the call.
    var cancelReason: Reason?
    /// Taken over and not dispatched since: a worker may still report that it holds the call.
    var isAdoptable = false
    /// The last attempt was given up with its worker, and no other has started: the worker may still report its
    /// outcome.
    var isLost = false
    /// Created by a catch-up, which is rate-limited.
    var isCatchUp = false
    /// Whether the worker has reported anything about the current attempt.
    var isAcknowledged = false
    /// Whether the worker has reported the start of the current attempt.
    var hasStarted = false
    /// The deadline for the report of the current call; `nil` if an earlier leader dispatched it.
    var deadline: BootTime?
    /// How often the current attempt was returned without being started.
    var returns: UInt8 = 0
    /// The call exceeded its timeout, and its worker was asked to cancel it.
    var isOverdue = false
    /// The connection over which the worker was asked about the claim.
    var queriedLink: ConnectionID?
    /// The client request that waits for the end of the execution (ExecuteNow).
    var waiter: RequestID?
    /// Whether the execution is counted as open for its job.
    var countsAsOpen = false

    /// The status of a waiting execution after its job is paused or deleted.
    var statusWhenJobEnds: ExecutionStatus {
        execution.attempts > 0 || execution.lostAttempts > 0 ? .cancelled : .skipped
    }

    /// Whether an attempt was started, as far as known.
    var hasBegun: Bool { execution.attempts > 0 || execution.lostAttempts > 0 || rowStatus != .pending }

    /// Whether the execution is dispatched, running, or waiting for a retry, in any queue or batch. A manual run is
    /// open as soon as it is accepted, so that no other execution starts before it.
    var isOpen: Bool {
        switch state {
        case .claiming, .dispatched, .disconnected, .recovered, .retrying, .outcomePending: true
        case .ready where InjectedFault.forgetsRetriesInOverlap.isActive,
            .recording where InjectedFault.forgetsRetriesInOverlap.isActive:
            false
        case .inserting, .armed, .ready: hasBegun || execution.trigger == .manual
        case .recording: !execution.status.isFinal
        }
    }

    /// The number of the current or next attempt.
    var attemptNumber: Int { execution.attempts + 1 }
}
