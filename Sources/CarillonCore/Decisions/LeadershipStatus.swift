/// What a scheduler knows of who leads.
package enum LeadershipStatus: Sendable, Hashable {
    case leading(epoch: Int64)
    /// Another scheduler leads, at that address; `nil` when no leader is known.
    case standingBy(leader: String?)

    /// The epoch of this scheduler's lead; `nil` on a standby.
    package var epoch: Int64? {
        if case .leading(let epoch) = self { epoch } else { nil }
    }

    /// The error that sends a client to the leader; `nil` on the leader.
    package var refusal: ClientError? {
        switch self {
        case .leading:
            nil
        case .standingBy(let leader?):
            ClientError(.notLeader, "this scheduler stands by; \(leader) leads", leaderAddress: leader)
        case .standingBy(leader: nil):
            ClientError(
                .notLeader,
                "no scheduler leads at the moment (a take-over, or the database cannot be reached); try again in a second"
            )
        }
    }
}
