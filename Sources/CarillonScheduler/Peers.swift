internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// All connected peers, by connection.
final class Peers: Sendable {
    struct Entry: Sendable {
        var peer: AcceptedPeer
        var skewMs: Double?
    }

    private let entries = Mutex<[ConnectionID: Entry]>([:])

    func add(_ peer: AcceptedPeer) {
        entries.withLock { $0[peer.id] = Entry(peer: peer) }
    }

    func remove(_ id: ConnectionID) -> AcceptedPeer? {
        entries.withLock { $0.removeValue(forKey: id)?.peer }
    }

    func link(_ id: ConnectionID) -> (any PeerLink)? {
        entries.withLock { $0[id]?.peer.link }
    }

    func peer(_ id: ConnectionID) -> AcceptedPeer? {
        entries.withLock { $0[id]?.peer }
    }

    func setSkew(_ skewMs: Double, of id: ConnectionID) {
        entries.withLock { $0[id]?.skewMs = skewMs }
    }

    /// Workers, by name.
    var workers: [Entry] {
        entries.withLock { entries in
            entries.values.filter { $0.peer.hello.role == .worker }.sorted { $0.peer.hello.name < $1.peer.hello.name }
        }
    }

    /// Names of workers, by connection.
    var workerNames: [ConnectionID: String] {
        entries.withLock { entries in
            entries.filter { $0.value.peer.hello.role == .worker }.mapValues { $0.peer.hello.name }
        }
    }

    func sendToClients(_ message: Message) {
        let links = entries.withLock { entries in
            entries.values.filter { $0.peer.hello.role == .client }.map(\.peer.link)
        }
        for link in links { link.send([Envelope(message)]) }
    }

    func send(_ message: Message, to id: ConnectionID) {
        link(id)?.send([Envelope(message)])
    }

    /// Sends a message that only a leader may send; it is dropped after the deadline.
    func send(_ message: Message, to id: ConnectionID, before deadline: BootTime) {
        link(id)?.send([Envelope(message)], before: deadline)
    }
}
