internal import CPostgres
internal import Synchronization

/// A request to cancel the running statement of a session. Only one such request is sent at a time in this process.
final class CancelRequest: Sendable {
    private static let isUnderWay = Atomic<Bool>(false)
    /// libpq's copy of the connection data; used only by the sending thread.
    private nonisolated(unsafe) let request: OpaquePointer

    /// Takes ownership of the request.
    init(_ request: OpaquePointer) {
        self.request = request
    }

    deinit {
        PQfreeCancel(request)
    }

    /// Returns whether no other request is being sent.
    func begin() -> Bool {
        !Self.isUnderWay.exchange(true, ordering: .relaxed)
    }

    /// Blocks until the server has received the request, or is unreachable.
    func send() {
        var problem = [CChar](repeating: 0, count: 256)
        _ = PQcancel(request, &problem, 256)
        Self.isUnderWay.store(false, ordering: .relaxed)
    }
}
