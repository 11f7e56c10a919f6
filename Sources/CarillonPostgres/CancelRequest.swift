internal import CPostgres
internal import Synchronization

/// A request to cancel what a session runs. One is under way at a time in this process.
final class CancelRequest: Sendable {
    private static let isUnderWay = Atomic<Bool>(false)
    /// libpq's own copy of what the request needs: no thread but the one that sends uses it.
    private nonisolated(unsafe) let request: OpaquePointer

    /// Takes the request over.
    init(_ request: OpaquePointer) {
        self.request = request
    }

    deinit {
        PQfreeCancel(request)
    }

    /// Whether it may be sent.
    func begin() -> Bool {
        !Self.isUnderWay.exchange(true, ordering: .relaxed)
    }

    /// Blocks until the server has taken it, or cannot be reached.
    func send() {
        var problem = [CChar](repeating: 0, count: 256)
        _ = PQcancel(request, &problem, 256)
        Self.isUnderWay.store(false, ordering: .relaxed)
    }
}
