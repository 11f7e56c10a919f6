internal import CarillonCore
internal import CarillonWire

/// A dialled connection whose handshake is complete.
final class DialedConnection: Sendable {
    let id: ConnectionID
    /// The configured address.
    let scheduler: String
    /// The resolved address.
    let address: String
    let welcome: Welcome
    let outbox: Outbox

    init(id: ConnectionID, scheduler: String, address: String, welcome: Welcome, outbox: Outbox) {
        self.id = id
        self.scheduler = scheduler
        self.address = address
        self.welcome = welcome
        self.outbox = outbox
    }

    /// The name in error texts.
    var name: String { scheduler == address ? address : "\(scheduler) (\(address))" }
}

/// An answer to a request, not yet decoded.
struct RawAnswer: Sendable {
    var id: UInt64
    /// The field number of the body in the envelope.
    var body: UInt32
    var payload: [UInt8]
}

/// Receives the events of dialled connections, on their event loop.
protocol DialedConnectionOwner: Sendable {
    func established(_ connection: DialedConnection)
    func received(_ envelopes: [Envelope], from connection: DialedConnection)
    func answered(_ answers: [RawAnswer], from connection: DialedConnection)
    func ended(_ connection: DialedConnection, why: String)
    /// A dial failed, or the list of addresses changed.
    func attemptFailed(scheduler: String, address: String, why: String)
}
