package import CarillonCore

/// The sending end of an established connection.
package protocol PeerLink: Sendable {
    /// Queues the envelopes, in order, and flushes once. Safe from any thread. Once the connection has ended they are dropped:
    /// the receiver has been told, or will be, by `disconnected`.
    func send(_ envelopes: [Envelope])
    /// The same for what only a leader may say: it is left out when it comes to be written at `deadline` or later, however
    /// long this process was stopped in between.
    func send(_ envelopes: [Envelope], before deadline: BootTime)
    /// The same as `send`; returns once they have become bytes in line for the peer, or the connection has ended. Whoever makes
    /// large answers makes the next one then.
    func deliver(_ envelopes: [Envelope]) async
    /// Sends a Goodbye and closes.
    func close(why: String)
}

/// A connection that a scheduler accepted and whose handshake is complete.
package struct AcceptedPeer: Sendable {
    package var id: ConnectionID
    package var hello: Hello
    /// host:port of the other end.
    package var address: String
    package var link: any PeerLink

    package init(id: ConnectionID, hello: Hello, address: String, link: any PeerLink) {
        self.id = id
        self.hello = hello
        self.address = address
        self.link = link
    }
}

/// Receives what happens on the connections that a scheduler accepted. Called on the network's threads, in order for each
/// connection, several messages at once where they came at once. Ping, Pong, Hello and Welcome never arrive here.
package protocol PeerReceiver: Sendable {
    /// What Welcome is to say at this moment (leading, epoch, leader's address), or why this peer is refused.
    func answer(to hello: Hello) -> Result<Welcome, ClientError>
    func connected(_ peer: AcceptedPeer)
    func received(_ envelopes: [Envelope], from connection: ConnectionID)
    /// A heartbeat came back.
    func measured(_ reading: PeerClockReading, of connection: ConnectionID)
    /// The peer has more answers in line than it takes, or has taken enough of them: what is not begun can wait.
    func filled(_ connection: ConnectionID, _ isFull: Bool)
    func disconnected(_ connection: ConnectionID, why: String)
}

/// Receives what happens on the connections that a worker keeps to its schedulers. Called on the network's threads.
package protocol SchedulerReceiver: Sendable {
    /// A connection is up. `scheduler` is the configured address that it was dialled for.
    func connected(_ connection: ConnectionID, to scheduler: String, welcome: Welcome, link: any PeerLink)
    func received(_ envelopes: [Envelope], from connection: ConnectionID)
    func disconnected(_ connection: ConnectionID, why: String)
}

/// Keeps a connection to each of a list of schedulers, for ever, with backoff and jitter (a name that resolves to
/// several addresses means all of them).
package protocol SchedulerDialer: Sendable {
    /// Starts dialling; `hello` is asked for at each connection.
    func start(hello: @escaping @Sendable () -> Hello, receiver: any SchedulerReceiver)
    func stop()
}
