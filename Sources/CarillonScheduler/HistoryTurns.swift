internal import CarillonWire
internal import Synchronization

/// Whose question about jobs and history is asked of the database next: each connection has so many at a time, its others
/// wait behind those. One that asks thousands fills its own line, and not that of everybody.
final class HistoryTurns: Sendable {
    private struct Line {
        var asking = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    /// Far more than there are sessions for it: nobody who is alone waits here in vain.
    private static let share = 64

    private let lines = Mutex<[ConnectionID: Line]>([:])

    /// Runs `body` when it is this connection's turn.
    func take<Value, Failure: Error>(
        _ connection: ConnectionID,
        _ body: () async throws(Failure) -> Value
    ) async throws(Failure) -> Value {
        await begin(connection)
        defer { end(connection) }
        return try await body()
    }

    private func begin(_ connection: ConnectionID) async {
        await withCheckedContinuation { continuation in
            let isFree = lines.withLock { lines in
                if lines[connection, default: Line()].asking < Self.share {
                    lines[connection, default: Line()].asking += 1
                    return true
                }
                lines[connection]?.waiting.append(continuation)
                return false
            }
            if isFree { continuation.resume() }
        }
    }

    /// The turn goes to who waits longest.
    private func end(_ connection: ConnectionID) {
        let next: CheckedContinuation<Void, Never>? = lines.withLock { lines in
            guard var line = lines[connection] else { return nil }
            defer { lines[connection] = line.asking == 0 ? nil : line }
            guard line.waiting.isEmpty else { return line.waiting.removeFirst() }
            line.asking -= 1
            return nil
        }
        next?.resume()
    }
}
