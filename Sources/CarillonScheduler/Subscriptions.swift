internal import CarillonCore
internal import CarillonWire
internal import Synchronization

/// The watches: clients that receive executions as they change.
final class Subscriptions: Sendable {
    private struct Key: Hashable {
        var connection: ConnectionID
        var envelope: UInt64
    }

    private struct Subscription {
        var requestID: RequestID
        var link: any PeerLink
        var job: JobID?
    }

    private let subscriptions = Mutex<[Key: Subscription]>([:])

    /// - Parameters:
    ///   - envelope: the id of the client's request; every message of the watch has this id.
    ///   - job: the job whose executions are sent; `nil` for all jobs.
    func add(_ requestID: RequestID, _ link: any PeerLink, connection: ConnectionID, envelope: UInt64, job: JobID?) {
        subscriptions.withLock {
            $0[Key(connection: connection, envelope: envelope)] = Subscription(
                requestID: requestID,
                link: link,
                job: job
            )
        }
    }

    func remove(connection: ConnectionID, envelope: UInt64) {
        _ = subscriptions.withLock { $0.removeValue(forKey: Key(connection: connection, envelope: envelope)) }
    }

    func removeAll(of connection: ConnectionID) {
        subscriptions.withLock { subscriptions in
            if subscriptions.isEmpty { return }
            subscriptions = subscriptions.filter { $0.key.connection != connection }
        }
    }

    /// The last message of a watch.
    struct Farewell: Sendable {
        fileprivate var link: any PeerLink
        fileprivate var envelope: Envelope

        func send() { link.send([envelope]) }
    }

    /// Ends one watch, unless it has ended already. The caller sends its last message.
    func end(_ requestID: RequestID, with error: ClientError) -> [Farewell] {
        end(with: error) { $0.requestID == requestID }
    }

    /// Ends all watches. The caller sends their last messages.
    func endAll(with error: ClientError) -> [Farewell] {
        end(with: error) { _ in true }
    }

    private func end(with error: ClientError, where isEnded: (Subscription) -> Bool) -> [Farewell] {
        subscriptions.withLock { subscriptions in
            let ended = subscriptions.filter { isEnded($0.value) }
            for key in ended.keys { subscriptions[key] = nil }
            return ended.map { Farewell(link: $1.link, envelope: Envelope(id: $0.envelope, .error(error))) }
        }
    }

    func tell(_ executions: [Execution]) {
        let all = subscriptions.withLock { $0 }
        for (key, subscription) in all {
            let answers = executions.filter { subscription.job == nil || $0.jobID == subscription.job }.map {
                execution in
                Envelope(id: key.envelope, .answer(.execution(execution, failedAttempts: [], url: nil)))
            }
            if !answers.isEmpty { subscription.link.send(answers) }
        }
    }
}
