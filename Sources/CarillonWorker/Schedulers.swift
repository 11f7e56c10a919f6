internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// The connected schedulers, by connection.
final class Schedulers: Sendable {
    struct Entry: Sendable {
        /// The configured address.
        var address: String
        var link: any PeerLink
    }

    private let entries = Mutex<[ConnectionID: Entry]>([:])

    func add(_ id: ConnectionID, _ entry: Entry) {
        entries.withLock { $0[id] = entry }
    }

    /// Returns whether the connection existed.
    func remove(_ id: ConnectionID) -> Bool {
        entries.withLock { $0.removeValue(forKey: id) != nil }
    }

    func entry(_ id: ConnectionID) -> Entry? {
        entries.withLock { $0[id] }
    }

    var count: Int { entries.withLock { $0.count } }
}
