internal import CarillonCore
internal import CarillonWire

/// A connection that we dialled, once its handshake is complete.
final class DialedConnection: Sendable {
    let id: ConnectionID
    /// The configured address that it was dialled for.
    let scheduler: String
    /// The address that it leads to, resolved.
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

    /// How an error names it.
    var name: String { scheduler == address ? address : "\(scheduler) (\(address))" }
}

/// An answer to one of our requests, still in bytes.
struct RawAnswer: Sendable {
    var id: UInt64
    /// The number of the envelope's field.
    var body: UInt32
    var payload: [UInt8]
}

/// Told of what happens on dialled connections, on their event loop.
protocol DialedConnectionOwner: Sendable {
    func established(_ connection: DialedConnection)
    func received(_ envelopes: [Envelope], from connection: DialedConnection)
    func answered(_ answers: [RawAnswer], from connection: DialedConnection)
    func ended(_ connection: DialedConnection, why: String)
    /// A dial failed, or the list of addresses changed.
    func attemptFailed(scheduler: String, address: String, why: String)
}
