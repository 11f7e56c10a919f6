/// Decides when to request the lease, when to renew it, and how long it is valid.
package struct LeaseKeeper: Sendable, Hashable {
    package enum State: Sendable, Hashable {
        /// Another scheduler leads, or none; the next request is sent at that time.
        case standby(askAt: BootTime)
        case asking(sentAt: BootTime)
        case held(epoch: Int64, deadline: BootTime, renewAt: BootTime)
        case renewing(epoch: Int64, deadline: BootTime, sentAt: BootTime)
        case releasing
        case released
    }

    package enum Request: Sendable, Hashable {
        case acquire
        case renew(epoch: Int64)
        case release(epoch: Int64)
    }

    package private(set) var state: State = .standby(askAt: BootTime(nanoseconds: .min))
    private let leaseMs: Int64
    private let renewMs: Int64
    /// The wait of a standby between two attempts. A free advisory lock is taken within this time.
    private let askMs: Int64 = 250

    package init(leaseMs: Int) {
        self.leaseMs = Int64(leaseMs)
        // With any lease length the database's clock is read at each renewal.
        self.renewMs = max(100, min(1_000, Int64(leaseMs) / 5))
    }

    package var epoch: Int64? {
        switch state {
        case .held(let epoch, _, _), .renewing(let epoch, _, _): epoch
        default: nil
        }
    }

    /// Whether the lease is valid at `now`; without a valid lease nothing is dispatched.
    package func isValid(at now: BootTime) -> Bool {
        if InjectedFault.trustsALeaseThatIsOver.isActive { return epoch != nil }
        switch state {
        case .held(_, let deadline, _), .renewing(_, let deadline, _): return now < deadline
        default: return false
        }
    }

    /// The end of the lease; `nil` without one.
    package var deadline: BootTime? {
        switch state {
        case .held(_, let deadline, _), .renewing(_, let deadline, _): deadline
        default: nil
        }
    }

    /// When `next` returns a request, or the result of `isValid` changes.
    package func wake(after now: BootTime) -> BootTime? {
        switch state {
        case .standby(let askAt): askAt
        case .held(_, let deadline, let renewAt): min(deadline, renewAt)
        // After the deadline nothing changes before the answer arrives, which can take long.
        case .renewing(_, let deadline, _): deadline > now ? deadline : nil
        case .asking, .releasing, .released: nil
        }
    }

    /// The request to send to the database now.
    package mutating func next(at now: BootTime) -> Request? {
        switch state {
        case .standby(let askAt) where now >= askAt:
            state = .asking(sentAt: now)
            return .acquire
        case .held(let epoch, let deadline, let renewAt) where now >= renewAt:
            state = .renewing(epoch: epoch, deadline: deadline, sentAt: now)
            return .renew(epoch: epoch)
        default:
            return nil
        }
    }

    /// Whether an answer belongs to the current request, sent at `sentAt`, and not to an earlier one.
    package func awaitsAnswer(to sentAt: BootTime) -> Bool {
        switch state {
        case .asking(let asked), .renewing(_, _, let asked): sentAt >= asked
        default: false
        }
    }

    /// The lease was taken or renewed.
    package mutating func held(epoch: Int64, at now: BootTime) {
        switch state {
        case .asking(let sentAt), .renewing(_, _, let sentAt):
            state = .held(
                epoch: epoch,
                deadline: sentAt + (leaseMs - min(1000, leaseMs / 5)),
                renewAt: max(now, sentAt + renewMs)
            )
        case .standby, .held, .releasing, .released:
            break
        }
    }

    /// The lease belongs to another scheduler, or its connection was lost.
    package mutating func lost(at now: BootTime, waitMs: Int64? = nil) {
        if state == .released || state == .releasing { return }
        state = .standby(askAt: now + (waitMs ?? askMs))
    }

    /// Releases the lease permanently.
    package mutating func release() -> Request? {
        defer { state = epoch == nil ? .released : .releasing }
        return epoch.map { .release(epoch: $0) }
    }

    package mutating func wasReleased() {
        state = .released
    }
}
