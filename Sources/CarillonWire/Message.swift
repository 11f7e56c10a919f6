package import CarillonCore

/// A message of protocol version 1 (`proto/carillon.proto`) as a Swift value. Large cases that are not part of every call are
/// indirect, because a message is copied several times on its way.
package enum Message: Sendable, Hashable {
    // The connection
    indirect case hello(Hello)
    indirect case welcome(Welcome)
    /// The sender's wall clock, microseconds since 1970.
    case ping(sentMicroseconds: Int64)
    /// `clockMicroseconds` is a worker's monotonic clock.
    case pong(pingSentMicroseconds: Int64, answeredMicroseconds: Int64, clockMicroseconds: UInt64? = nil)
    case goodbye(why: String)
    indirect case error(ClientError)

    // Scheduler and worker
    /// All shards that the scheduler leads under that epoch.
    case lead(LeadProof, shards: [UInt8])
    /// Refuses a Lead of shards for which a higher epoch was seen.
    case leadRefused(epoch: Int64, shards: [UInt8], highest: LeadProof)
    case holding(epoch: Int64, running: [HeldCall])
    case credit(granted: UInt64)
    case dispatch(clusterTime: Timestamp, [DispatchedCall])
    case started([DispatchToken])
    case outcome([CallOutcome])
    case outcomeAck([AcknowledgedOutcome])
    case cancel([DispatchToken])
    case drain
    case claimQuery([QueriedClaim])
    case claimAnswer(rememberedMs: UInt64, [AnsweredClaim])

    // Clients
    indirect case request(Request)
    indirect case answer(Answer)

    /// A body that this version does not know; answered with UNIMPLEMENTED if it has an id.
    case unknown
}
