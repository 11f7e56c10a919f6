internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// Limits how many requests of one connection run at a time; further requests of the connection wait in its own queue. A client
/// with thousands of requests does not delay other clients, and no answers are computed for a client that does not read them.
final class RequestLimiter: Sendable {
    private struct Line {
        var asking = 0
        var waiting: [CheckedContinuation<Bool, Never>] = []
        /// The connection has too many unsent answers queued.
        var isHeld = false
    }

    private let share: Int
    /// The queues of the open connections.
    private let lines = Mutex<[ConnectionID: Line]>([:])

    /// - Parameter share: concurrent requests of one connection, at least 1.
    init(share: Int) {
        self.share = share
    }

    /// Runs `body` when it is the request's turn. Throws when the connection has ended.
    func take<Value>(
        _ connection: ConnectionID,
        _ body: () async throws(ClientError) -> Value
    ) async throws(ClientError) -> Value {
        guard await begin(connection) else { throw ClientError(.unavailable, "the connection has ended") }
        defer { end(connection) }
        return try await body()
    }

    /// Registers a new connection.
    func open(_ connection: ConnectionID) {
        lines.withLock { $0[connection] = Line() }
    }

    /// Pauses the start of the connection's requests, or resumes it.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        change(connection) { line in line.isHeld = isHeld }
    }

    /// Removes a connection that has ended; its waiting requests fail.
    func forget(_ connection: ConnectionID) {
        let waiting = lines.withLock { $0.removeValue(forKey: connection)?.waiting ?? [] }
        for continuation in waiting { continuation.resume(returning: false) }
    }

    /// The connection's running and waiting requests.
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

    /// Requests start in the order in which they arrived. Returns whether the connection is open; otherwise nothing happens.
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
