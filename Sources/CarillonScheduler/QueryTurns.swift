internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// Whose question is asked of the database next: each connection has so many at a time, its others wait behind those. One
/// that asks thousands fills its own line, and not that of everybody; one that takes no answers is asked for none.
final class QueryTurns: Sendable {
    private struct Line {
        var asking = 0
        var waiting: [CheckedContinuation<Bool, Never>] = []
        /// The connection has more in line than it takes.
        var isHeld = false
    }

    private let share: Int
    private let lines = Mutex<[ConnectionID: Line]>([:])

    /// - Parameter share: questions of one connection at a time, at least 1.
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

    /// Lets none of the connection's questions begin for now, or lets them go on.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        change(connection) { line in line.isHeld = isHeld }
    }

    /// The connection has ended: nobody waits for its answers.
    func forget(_ connection: ConnectionID) {
        let waiting = lines.withLock { lines in
            let waiting = lines[connection]?.waiting ?? []
            lines[connection]?.waiting = []
            lines[connection]?.isHeld = false
            return waiting
        }
        for continuation in waiting { continuation.resume(returning: false) }
        change(connection) { _ in }
    }

    /// How many questions of the connection are asked or wait.
    func count(of connection: ConnectionID) -> Int {
        lines.withLock { lines in lines[connection].map { $0.asking + $0.waiting.count } ?? 0 }
    }

    private func begin(_ connection: ConnectionID) async -> Bool {
        await withCheckedContinuation { continuation in
            change(connection) { line in line.waiting.append(continuation) }
        }
    }

    private func end(_ connection: ConnectionID) {
        change(connection) { line in line.asking -= 1 }
    }

    /// Turns go to those that wait longest.
    private func change(_ connection: ConnectionID, _ body: (inout Line) -> Void) {
        let next = lines.withLock { lines in
            var line = lines[connection] ?? Line()
            body(&line)
            let count = line.isHeld ? 0 : min(share - line.asking, line.waiting.count)
            let next = line.waiting.prefix(count)
            line.waiting.removeFirst(count)
            line.asking += count
            let isOver = line.asking == 0 && line.waiting.isEmpty && !line.isHeld
            lines[connection] = isOver ? nil : line
            return next
        }
        for continuation in next { continuation.resume(returning: true) }
    }
}
