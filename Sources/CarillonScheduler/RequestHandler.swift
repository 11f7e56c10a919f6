internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import Synchronization

/// Answers clients: passes requests to the request machine, performs its reads, submits its changes to the dispatcher, and
/// sends the replies.
final class RequestHandler: Sendable {
    private struct Held {
        var machine: RequestMachine
        var random = SystemRandomNumberGenerator()
    }

    private enum Waiting {
        case reply(CheckedContinuation<RequestReply, Never>)
        /// A request to start or stop a watch; the only reply is an error.
        case watch(any PeerLink, ConnectionID, envelope: UInt64)
    }

    private let held: Mutex<Held>
    private let waiting = Mutex<[RequestID: Waiting]>([:])
    private let lastRequestID = Atomic<RequestID>(0)
    private let limits = RequestLimits()
    private let reads: RequestReads
    private let renderer: ReplyRenderer
    private let subscriptions: Subscriptions
    private let status: StatusSnapshot
    private let eventLoop: EventLoopThread<Event>

    /// - Parameter eventLoop: receives the changes.
    init(
        machine: RequestMachine,
        reads: RequestReads,
        renderer: ReplyRenderer,
        subscriptions: Subscriptions,
        status: StatusSnapshot,
        eventLoop: EventLoopThread<Event>
    ) {
        held = Mutex(Held(machine: machine))
        self.reads = reads
        self.renderer = renderer
        self.subscriptions = subscriptions
        self.status = status
        self.eventLoop = eventLoop
    }

    // MARK: Client requests

    /// Performs a request and sends its answer.
    func handle(_ request: Request, id envelope: UInt64, from peer: AcceptedPeer) {
        switch request {
        case .watchExecutions, .stopWatching:
            // Not queued: a watch must report the effects of later requests on the same connection.
            let requestID = nextRequestID()
            waiting.withLock { $0[requestID] = .watch(peer.link, peer.id, envelope: envelope) }
            submit(.requested(requestID, request, from: peer.id))
            // A watch that has started is in `subscriptions`.
            waiting.withLock { $0[requestID] = nil }
        default:
            Task {
                guard let limiter = limits.limiter(for: request) else { return await answer(request, envelope, peer) }
                // Requests of a connection that has ended are dropped.
                try? await limiter.take(peer.id) { () async throws(ClientError) in
                    await answer(request, envelope, peer)
                }
            }
        }
    }

    /// The request occupies its turn until its answer is sent. Otherwise the answers for a slow client would fill the memory.
    private func answer(_ request: Request, _ envelope: UInt64, _ peer: AcceptedPeer) async {
        let reply = await withCheckedContinuation { continuation in
            let requestID = nextRequestID()
            waiting.withLock { $0[requestID] = .reply(continuation) }
            submit(.requested(requestID, request, from: peer.id))
        }
        let message: Message =
            switch renderer.render(reply, at: status.clusterTime()) {
            case .success(let answer): .answer(answer)
            case .failure(let error): .error(error)
            }
        await peer.link.deliver([Envelope(id: envelope, message)])
    }

    /// A client has connected.
    func open(_ connection: ConnectionID) {
        limits.open(connection)
    }

    /// Pauses the client's requests while too many of its answers are unsent, and resumes them afterwards.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        limits.hold(connection, isHeld)
    }

    /// The connection has ended.
    func forget(_ connection: ConnectionID) {
        limits.forget(connection)
        submit(.connectionEnded(connection))
        subscriptions.removeAll(of: connection)
    }

    // MARK: Scheduler events

    /// The dispatcher's answer to a change.
    func changed(_ requestID: RequestID, _ result: ChangeResult) {
        submit(.changed(requestID, result))
    }

    /// The leader in the status snapshot may have changed.
    func leadershipChanged() {
        submit(nil)
    }

    /// The dispatcher has stopped: pending requests are refused.
    func stop() {
        submit(.stopped)
    }

    // MARK: The request machine

    private func nextRequestID() -> RequestID {
        lastRequestID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Passes the latest leadership and then the event to the machine. The snapshot is read under the machine's lock, so an older
    /// snapshot never follows a newer one.
    private func submit(_ event: RequestEvent?) {
        let now = status.clusterTime()
        let (actions, farewells) = held.withLock { held in
            var actions: [RequestAction] = []
            var farewells: [Subscriptions.Farewell] = []
            let leadership = RequestEvent.leadershipChanged(status.leadership)
            held.machine.handle(leadership, at: now, using: &held.random, into: &actions)
            if let event { held.machine.handle(event, at: now, using: &held.random, into: &actions) }
            // A watch must not start after a later decision to end all watches.
            actions.removeAll { changeWatches($0, &farewells) }
            return (actions, farewells)
        }
        for farewell in farewells { farewell.send() }
        for action in actions { perform(action) }
    }

    /// Handles an action about watches. Returns whether the action was one.
    private func changeWatches(_ action: RequestAction, _ farewells: inout [Subscriptions.Farewell]) -> Bool {
        switch action {
        case .startWatch(let requestID, let job):
            guard case .watch(let link, let connection, let envelope) = waiting.withLock({ $0[requestID] }) else {
                break
            }
            subscriptions.add(requestID, link, connection: connection, envelope: envelope, job: job)
        case .endWatch(let requestID, let error):
            farewells += subscriptions.end(requestID, with: error)
        case .stopWatch(let requestID):
            guard case .watch(_, let connection, let envelope) = waiting.withLock({ $0[requestID] }) else { break }
            subscriptions.remove(connection: connection, envelope: envelope)
        case .endAllWatches(let error):
            farewells += subscriptions.endAll(with: error)
        case .read, .change, .refresh, .reply:
            return false
        }
        return true
    }

    private func perform(_ action: RequestAction) {
        switch action {
        case .read(let requestID, let read):
            reads.perform(read) { [self] result in submit(.read(requestID, result)) }
        case .change(let requestID, let request):
            if !eventLoop.post(.changeRequested(requestID, request)) {
                changed(requestID, .refused(.schedulerStopping))
            }
        case .refresh(let planned):
            eventLoop.post(.jobRead(planned))
        case .reply(let requestID, let reply):
            switch waiting.withLock({ $0.removeValue(forKey: requestID) }) {
            case .reply(let continuation):
                continuation.resume(returning: reply)
            case .watch(let link, _, let envelope):
                guard case .error(let error) = reply else { break }
                link.send([Envelope(id: envelope, .error(error))])
            case nil:
                break
            }
        case .startWatch, .endWatch, .stopWatch, .endAllWatches:
            break
        }
    }
}
