internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import NIOCore
internal import Synchronization

/// The state of an `RPCClient`: its connections, the leader, and the requests that wait for answers. Called from any thread.
///
/// Each waiting request is in exactly one table. It is removed under the lock before it is resumed, so it is resumed once:
/// by its answer, the end of its connection, its deadline or its cancellation.
final class ClientRouter: DialedConnectionOwner, Sendable {
    enum Reply: Sendable {
        case answer(RawAnswer)
        /// The connection ended before the request was passed to it.
        case notSent
        /// The connection ended; whether the request was performed is unknown.
        case connectionLost(why: String)
        case timedOut
        case cancelled
        case closed
    }

    private enum Waiter {
        case once(UnsafeContinuation<Reply, Never>)
        case stream(AsyncStream<Reply>.Continuation)
    }

    private struct Pending {
        var waiter: Waiter
        var connection: ConnectionID
        /// `nil`: no deadline.
        var deadline: BootTime?
    }

    private struct ChangeWaiter {
        var continuation: UnsafeContinuation<Void, Never>
        var deadline: BootTime
    }

    private struct State {
        var connections: [DialedConnection] = []
        var leader: ConnectionID?
        /// The address from NOT_LEADER, until a scheduler there answers.
        var leaderHint: String?
        var nextID: UInt64 = 1
        var turn = 0
        var pending: [UInt64: Pending] = [:]
        var changeWaiters: [UInt64: ChangeWaiter] = [:]
        /// The last failure of each address, the newest last.
        var failures: [(address: String, why: String)] = []
        /// Increases with each change that a waiting request may need.
        var version: UInt64 = 0
        var isWatchingDeadlines = false
        var isClosed = false

        var hasDeadlines: Bool { !pending.isEmpty || !changeWaiters.isEmpty }

        /// The connection to a configured or resolved address.
        func connection(to address: String) -> DialedConnection? {
            connections.first { $0.scheduler == address || $0.address == address }
        }
    }

    /// The interval between checks of the deadlines.
    private static let deadlineInterval = TimeAmount.milliseconds(25)

    private let state = Mutex(State())
    private let loop: any EventLoop

    init(loop: any EventLoop) {
        self.loop = loop
    }

    // MARK: Connections

    func established(_ connection: DialedConnection) {
        change { state in
            state.connections.append(connection)
            state.failures.removeAll { $0.address == connection.address || $0.address == connection.scheduler }
            if connection.welcome.leading { state.leader = connection.id }
            // The leader named in a standby's Welcome is only a fallback, while no other leader is known.
            if !connection.welcome.leading, state.leaderHint == nil, state.leader == nil {
                state.leaderHint = connection.welcome.leaderAddress
            }
        }
    }

    func ended(_ connection: DialedConnection, why: String) {
        let orphans = change { state in
            state.connections.removeAll { $0.id == connection.id }
            if state.leader == connection.id { state.leader = nil }
            state.failures.removeAll { $0.address == connection.address }
            state.failures.append((connection.address, why))
            let orphans = state.pending.filter { $0.value.connection == connection.id }
            for id in orphans.keys { state.pending[id] = nil }
            return orphans.values.map(\.waiter)
        }
        for waiter in orphans { resume(waiter, .connectionLost(why: why)) }
    }

    func attemptFailed(scheduler: String, address: String, why: String) {
        change { state in
            state.failures.removeAll { $0.address == address }
            state.failures.append((address, why))
        }
    }

    func received(_ envelopes: [Envelope], from connection: DialedConnection) {
        for case .lead(_, let shards) in envelopes.map(\.message) {
            change { state in
                if !shards.isEmpty {
                    (state.leader, state.leaderHint) = (connection.id, nil)
                } else if state.leader == connection.id {
                    state.leader = nil
                }
            }
        }
    }

    func answered(_ answers: [RawAnswer], from connection: DialedConnection) {
        let complete: [(Waiter, RawAnswer)] = state.withLock { state in
            answers.compactMap { answer in
                guard let pending = state.pending[answer.id], pending.connection == connection.id else { return nil }
                if case .once = pending.waiter { state.pending[answer.id] = nil }
                return (pending.waiter, answer)
            }
        }
        for (waiter, answer) in complete { resume(waiter, .answer(answer)) }
    }

    private func resume(_ waiter: Waiter, _ reply: Reply) {
        switch waiter {
        case .once(let continuation): continuation.resume(returning: reply)
        case .stream(let continuation):
            // The end of a stream without a final reply means that a reply was dropped, because the reader was too slow.
            if case .enqueued = continuation.yield(reply), case .answer = reply { return }
            continuation.finish()
        }
    }

    // MARK: Choosing a connection

    /// A connection for a request. A request that needs the leader gets the leader's connection, or any while the leader is unknown.
    func pick(_ safety: RequestSafety, excluding: Set<ConnectionID>) -> DialedConnection? {
        state.withLock { state in
            let candidates = state.connections.filter { !excluding.contains($0.id) }
            if !safety.isRead {
                if let hint = state.leaderHint,
                    let hinted = candidates.first(where: { $0.scheduler == hint || $0.address == hint })
                {
                    return hinted
                }
                if let leader = candidates.first(where: { $0.id == state.leader }) { return leader }
            }
            guard !candidates.isEmpty else { return nil }
            state.turn &+= 1
            return candidates[state.turn % candidates.count]
        }
    }

    /// The scheduler performed a request that only a leader performs, so it leads.
    func noteLeader(_ connection: DialedConnection) {
        state.withLock { state in
            state.leader = connection.id
            state.leaderHint = nil
        }
    }

    /// The scheduler does not lead. Returns the leader's address if it must be dialled.
    func noteNotLeader(_ connection: DialedConnection, leaderAddress: String?) -> String? {
        state.withLock { state in
            if state.leader == connection.id { state.leader = nil }
            state.leaderHint = nil
            guard let leaderAddress, leaderAddress != connection.scheduler, leaderAddress != connection.address
            else { return nil }
            state.leaderHint = leaderAddress
            return state.connection(to: leaderAddress) == nil ? leaderAddress : nil
        }
    }

    /// Records the leader that a scheduler names. Returns whether it is another connected scheduler.
    func noteCluster(_ connection: DialedConnection, isLeading: Bool, leaderAddress: String?) -> Bool {
        state.withLock { state in
            if isLeading {
                (state.leader, state.leaderHint) = (connection.id, nil)
                return false
            }
            if state.leader == connection.id { state.leader = nil }
            if state.leaderHint == connection.scheduler || state.leaderHint == connection.address {
                state.leaderHint = nil
            }
            guard let leaderAddress, let other = state.connection(to: leaderAddress), other.id != connection.id else {
                return false
            }
            state.leaderHint = leaderAddress
            return true
        }
    }

    var connections: [DialedConnection] { state.withLock { $0.connections } }

    var failures: [(address: String, why: String)] { state.withLock { $0.failures } }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    func nextID() -> UInt64 {
        state.withLock { state in
            defer { state.nextID += 1 }
            return state.nextID
        }
    }

    // MARK: Waiting for answers

    /// Sends a frame with this id and waits for its answer.
    func exchange(
        _ id: UInt64,
        _ frame: [UInt8],
        name: String,
        on connection: DialedConnection,
        deadline: BootTime
    ) async -> Reply {
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let refusal = register(id, .once(continuation), on: connection, deadline: deadline)
                if let refusal { return continuation.resume(returning: refusal) }
                if Task.isCancelled { return abandon(id, .cancelled) }
                if !connection.outbox.send(frame: frame, name: name) { abandon(id, .notSent) }
            }
        } onCancel: {
            abandon(id, .cancelled)
        }
    }

    /// Like `exchange`, for many answers. The stream ends after the first reply that is not an answer.
    func subscribe(
        _ id: UInt64,
        _ frame: [UInt8],
        name: String,
        on connection: DialedConnection,
        limit: Int
    ) -> AsyncStream<Reply> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: Reply.self,
            bufferingPolicy: .bufferingOldest(limit)
        )
        let refusal = register(id, .stream(continuation), on: connection, deadline: nil)
        if let refusal {
            resume(.stream(continuation), refusal)
        } else if !connection.outbox.send(frame: frame, name: name) {
            abandon(id, .notSent)
        }
        return stream
    }

    private func register(
        _ id: UInt64,
        _ waiter: Waiter,
        on connection: DialedConnection,
        deadline: BootTime?
    ) -> Reply? {
        let refusal: Reply? = state.withLock { state in
            if state.isClosed { return .closed }
            guard state.connections.contains(where: { $0.id == connection.id }) else { return .notSent }
            state.pending[id] = Pending(waiter: waiter, connection: connection.id, deadline: deadline)
            return nil
        }
        if refusal == nil { watchDeadlines() }
        return refusal
    }

    /// Stops waiting for an answer; a later answer is dropped.
    func abandon(_ id: UInt64, _ reply: Reply) {
        let pending = state.withLock { $0.pending.removeValue(forKey: id) }
        if let pending { resume(pending.waiter, reply) }
    }

    /// Increases whenever a connection is established, ends or fails. Read it before looking for a connection, then wait for a
    /// change from it.
    var version: UInt64 { state.withLock { $0.version } }

    /// Returns when the version has changed, or at the deadline.
    func waitForChange(since version: UInt64, until deadline: BootTime) async {
        let id = nextID()
        await withTaskCancellationHandler {
            await withUnsafeContinuation { continuation in
                let isOver = state.withLock { state in
                    if state.isClosed || state.version != version { return true }
                    state.changeWaiters[id] = ChangeWaiter(continuation: continuation, deadline: deadline)
                    return false
                }
                if isOver { return continuation.resume() }
                watchDeadlines()
                if Task.isCancelled { endWait(id) }
            }
        } onCancel: {
            endWait(id)
        }
    }

    private func endWait(_ id: UInt64) {
        state.withLock { $0.changeWaiters.removeValue(forKey: id) }?.continuation.resume()
    }

    /// Changes the state and wakes the requests that wait for a change.
    @discardableResult
    private func change<R>(_ body: (inout State) -> sending R) -> R {
        let (result, waiters) = state.withLock { state -> (R, [ChangeWaiter]) in
            let result = body(&state)
            state.version += 1
            defer { state.changeWaiters = [:] }
            return (result, Array(state.changeWaiters.values))
        }
        for waiter in waiters { waiter.continuation.resume() }
        return result
    }

    /// Checks the deadlines periodically, while there are any.
    private func watchDeadlines() {
        let mustBegin = state.withLock { state in
            guard !state.isWatchingDeadlines else { return false }
            state.isWatchingDeadlines = true
            return true
        }
        guard mustBegin else { return }
        loop.scheduleRepeatedTask(
            initialDelay: ClientRouter.deadlineInterval,
            delay: ClientRouter.deadlineInterval
        ) { task in
            self.expire(at: SystemClock.bootTime())
            let isDone = self.state.withLock { state in
                state.isWatchingDeadlines = state.hasDeadlines
                return !state.isWatchingDeadlines
            }
            if isDone { task.cancel() }
        }
    }

    /// Ends the waits whose deadline has passed.
    private func expire(at now: BootTime) {
        let (late, waiters) = state.withLock { state in
            var late: [Waiter] = []
            for (id, pending) in state.pending {
                guard let deadline = pending.deadline, deadline <= now else { continue }
                late.append(pending.waiter)
                state.pending[id] = nil
            }
            var waiters: [ChangeWaiter] = []
            for (id, waiter) in state.changeWaiters where waiter.deadline <= now {
                waiters.append(waiter)
                state.changeWaiters[id] = nil
            }
            return (late, waiters)
        }
        for waiter in late { resume(waiter, .timedOut) }
        for waiter in waiters { waiter.continuation.resume() }
    }

    /// Ends all waits and refuses new requests.
    func close() {
        let (pending, waiters) = state.withLock { state in
            state.isClosed = true
            defer {
                state.pending = [:]
                state.changeWaiters = [:]
            }
            return (state.pending.values.map(\.waiter), Array(state.changeWaiters.values))
        }
        for waiter in pending { resume(waiter, .closed) }
        for waiter in waiters { waiter.continuation.resume() }
    }
}
