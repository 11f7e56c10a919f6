package import CarillonCore

/// The sending end of an established connection.
package protocol PeerLink: Sendable {
    /// Queues the envelopes, in order, and flushes once. Safe from any thread. After the end of the connection the envelopes are
    /// dropped; the receiver gets `disconnected`.
    func send(_ envelopes: [Envelope])
    /// Sends messages that only a leader may send: they are dropped if they are not written before `deadline`, even if the
    /// process was suspended in between.
    func send(_ envelopes: [Envelope], before deadline: BootTime)
    /// Like `send`, but returns only when the envelopes are encoded and queued for the peer, or the connection has ended. A sender
    /// of large answers waits here before it creates the next one.
    func deliver(_ envelopes: [Envelope]) async
    /// Sends a Goodbye and closes.
    func close(why: String)
}

/// An accepted connection whose handshake is complete.
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

/// Receives the events of accepted connections. Called on the network's threads, in order for each connection; messages that
/// arrive together are passed together. Ping, Pong, Hello and Welcome are not passed.
package protocol PeerReceiver: Sendable {
    /// The contents of Welcome (leading, epoch, leader's address), or the reason to refuse this peer.
    func answer(to hello: Hello) -> Result<Welcome, ClientError>
    func connected(_ peer: AcceptedPeer)
    func received(_ envelopes: [Envelope], from connection: ConnectionID)
    /// A heartbeat was answered.
    func measured(_ reading: PeerClockReading, of connection: ConnectionID)
    /// Too many answers are queued for the peer, or no longer too many. While full, queued requests should not start.
    func filled(_ connection: ConnectionID, _ isFull: Bool)
    func disconnected(_ connection: ConnectionID, why: String)
}

/// Receives the events of a worker's connections to its schedulers. Called on the network's threads.
package protocol SchedulerReceiver: Sendable {
    /// A connection is established. `scheduler` is its configured address.
    func connected(_ connection: ConnectionID, to scheduler: String, welcome: Welcome, link: any PeerLink)
    func received(_ envelopes: [Envelope], from connection: ConnectionID)
    func disconnected(_ connection: ConnectionID, why: String)
}

/// Keeps a connection to each configured scheduler, and dials again with backoff and jitter. A name with several addresses
/// counts as all of them.
package protocol SchedulerDialer: Sendable {
    /// Starts to dial; `hello` is called for each connection.
    func start(hello: @escaping @Sendable () -> Hello, receiver: any SchedulerReceiver)
    func stop()
}
