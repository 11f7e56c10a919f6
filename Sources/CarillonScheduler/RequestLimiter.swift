internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// Whose request is done next: each connection has so many at a time, its others wait behind those. One that asks thousands
/// fills its own line, and not that of everybody; one that takes no answers gets none made.
final class RequestLimiter: Sendable {
    private struct Line {
        var asking = 0
        var waiting: [CheckedContinuation<Bool, Never>] = []
        /// The connection has more in line than it takes.
        var isHeld = false
    }

    private let share: Int
    /// Of the connections that are open.
    private let lines = Mutex<[ConnectionID: Line]>([:])

    /// - Parameter share: requests of one connection at a time, at least 1.
    init(share: Int) {
        self.share = share
    }

    /// Runs `body` when it is this connection's turn, or throws once the connection has ended.
    func take<Value>(
        _ connection: ConnectionID,
        _ body: () async throws(ClientError) -> Value
    ) async throws(ClientError) -> Value {
        guard await begin(connection) else { throw ClientError(.unavailable, "the connection has ended") }
        defer { end(connection) }
        return try await body()
    }

    /// The connection is open, and may ask.
    func open(_ connection: ConnectionID) {
        lines.withLock { $0[connection] = Line() }
    }

    /// Lets none of the connection's requests begin for now, or lets them go on.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        change(connection) { line in line.isHeld = isHeld }
    }

    /// The connection has ended: nobody waits for its answers, and it asks for nothing more.
    func forget(_ connection: ConnectionID) {
        let waiting = lines.withLock { $0.removeValue(forKey: connection)?.waiting ?? [] }
        for continuation in waiting { continuation.resume(returning: false) }
    }

    /// How many requests of the connection are being done or wait.
    func count(of connection: ConnectionID) -> Int {
        lines.withLock { lines in lines[connection].map { $0.asking + $0.waiting.count } ?? 0 }
    }

    private func begin(_ connection: ConnectionID) async -> Bool {
        await withCheckedContinuation { continuation in
            let isOpen = change(connection) { line in line.waiting.append(continuation) }
            if !isOpen { continuation.resume(returning: false) }
        }
    }

    private func end(_ connection: ConnectionID) {
        change(connection) { line in line.asking -= 1 }
    }

    /// Turns go to those that wait longest. Returns whether the connection is open; if it is not, nothing is done.
    @discardableResult
    private func change(_ connection: ConnectionID, _ body: (inout Line) -> Void) -> Bool {
        let next: ArraySlice<CheckedContinuation<Bool, Never>>? = lines.withLock { lines in
            guard var line = lines[connection] else { return nil }
            body(&line)
            let count = line.isHeld ? 0 : max(0, min(share - line.asking, line.waiting.count))
            let next = line.waiting.prefix(count)
            line.waiting.removeFirst(count)
            line.asking += count
            lines[connection] = line
            return next
        }
        for continuation in next ?? [] { continuation.resume(returning: true) }
        return next != nil
    }
}
