/// A scheduler's knowledge of the current leader.
package enum LeadershipStatus: Sendable, Hashable {
    case leading(epoch: Int64)
    /// Another scheduler leads, at that address; `nil` if no leader is known.
    case standingBy(leader: String?)

    /// The epoch under which this scheduler leads; `nil` on a standby.
    package var epoch: Int64? {
        if case .leading(let epoch) = self { epoch } else { nil }
    }

    /// The error that directs a client to the leader; `nil` on the leader.
    package var refusal: ClientError? {
        switch self {
        case .leading:
            nil
        case .standingBy(let leader?):
            ClientError(.notLeader, "this scheduler is a standby; the leader is \(leader)", leaderAddress: leader)
        case .standingBy(leader: nil):
            ClientError(
                .notLeader,
                "no scheduler leads now (take-over in progress, or database unreachable); try again in a second"
            )
        }
    }
}
