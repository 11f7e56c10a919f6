internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// Clients that are sent executions as they change.
final class Watchers: Sendable {
    private struct Key: Hashable {
        var connection: ConnectionID
        var envelope: UInt64
    }

    private struct Watcher {
        var ticket: Ticket
        var link: any PeerLink
        var job: JobID?
    }

    private let watchers = Mutex<[Key: Watcher]>([:])

    /// - Parameters:
    ///   - envelope: the id of the client's message, which all answers of the watch bear.
    ///   - job: whose executions are sent; `nil` for those of all jobs.
    func add(_ ticket: Ticket, _ link: any PeerLink, connection: ConnectionID, envelope: UInt64, job: JobID?) {
        watchers.withLock {
            $0[Key(connection: connection, envelope: envelope)] = Watcher(ticket: ticket, link: link, job: job)
        }
    }

    func remove(connection: ConnectionID, envelope: UInt64) {
        _ = watchers.withLock { $0.removeValue(forKey: Key(connection: connection, envelope: envelope)) }
    }

    func removeAll(of connection: ConnectionID) {
        watchers.withLock { watchers in
            if watchers.isEmpty { return }
            watchers = watchers.filter { $0.key.connection != connection }
        }
    }

    /// The last message of a watch.
    struct Farewell: Sendable {
        fileprivate var link: any PeerLink
        fileprivate var envelope: Envelope

        func send() { link.send([envelope]) }
    }

    /// Ends one watch, unless it has ended already. The caller sends the farewell.
    func end(_ ticket: Ticket, with error: ClientError) -> [Farewell] {
        end(with: error) { $0.ticket == ticket }
    }

    /// Ends all watches. The caller sends the farewells.
    func endAll(with error: ClientError) -> [Farewell] {
        end(with: error) { _ in true }
    }

    private func end(with error: ClientError, where isEnded: (Watcher) -> Bool) -> [Farewell] {
        watchers.withLock { watchers in
            let ended = watchers.filter { isEnded($0.value) }
            for key in ended.keys { watchers[key] = nil }
            return ended.map { Farewell(link: $1.link, envelope: Envelope(id: $0.envelope, .error(error))) }
        }
    }

    func tell(_ executions: [Execution]) {
        let all = watchers.withLock { $0 }
        for (key, watcher) in all {
            let answers = executions.filter { watcher.job == nil || $0.jobID == watcher.job }.map { execution in
                Envelope(id: key.envelope, .answer(.execution(execution, failedAttempts: [], url: nil)))
            }
            if !answers.isEmpty { watcher.link.send(answers) }
        }
    }
}
