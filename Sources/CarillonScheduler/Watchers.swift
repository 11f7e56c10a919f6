internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// Clients that want to hear of executions as they change.
final class Watchers: Sendable {
    private struct Key: Hashable {
        var connection: ConnectionID
        var envelope: UInt64
    }

    private struct Watcher {
        var link: any PeerLink
        var job: JobID?
    }

    private let watchers = Mutex<[Key: Watcher]>([:])

    func add(_ link: any PeerLink, connection: ConnectionID, envelope: UInt64, job: JobID?) {
        watchers.withLock { $0[Key(connection: connection, envelope: envelope)] = Watcher(link: link, job: job) }
    }

    /// Returns whether it was there.
    @discardableResult
    func remove(connection: ConnectionID, envelope: UInt64) -> Bool {
        watchers.withLock { $0.removeValue(forKey: Key(connection: connection, envelope: envelope)) } != nil
    }

    func removeAll(of connection: ConnectionID) {
        watchers.withLock { watchers in
            if watchers.isEmpty { return }
            watchers = watchers.filter { $0.key.connection != connection }
        }
    }

    /// Ends all watches: this scheduler no longer hears of everything.
    func end(with error: ClientError) {
        let all = watchers.withLock { watchers in
            defer { watchers.removeAll() }
            return watchers
        }
        for (key, watcher) in all { watcher.link.send([Envelope(id: key.envelope, .error(error))]) }
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
