internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
internal import Synchronization

/// Answers clients: gives their requests to the request machine, does its reads, hands its changes to the dispatcher, and
/// sends its replies.
final class RequestHandler: Sendable {
    private struct Held {
        var machine: RequestMachine
        var random = SystemRandomNumberGenerator()
    }

    private enum Waiting {
        case reply(CheckedContinuation<RequestReply, Never>)
        /// A request to start or stop a watch; its reply is an error.
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

    /// - Parameter eventLoop: takes the changes.
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

    // MARK: What clients do

    /// Does a request and sends its answer.
    func handle(_ request: Request, id envelope: UInt64, from peer: AcceptedPeer) {
        switch request {
        case .watchExecutions, .stopWatching:
            // At once: a watch must see what the requests behind it on the connection do.
            let requestID = nextRequestID()
            waiting.withLock { $0[requestID] = .watch(peer.link, peer.id, envelope: envelope) }
            submit(.requested(requestID, request, from: peer.id))
            // A watch that has started is known to `subscriptions`.
            waiting.withLock { $0[requestID] = nil }
        default:
            Task {
                guard let limiter = limits.limiter(for: request) else { return await answer(request, envelope, peer) }
                // A request of a connection that has ended is not done: nobody waits for the answer.
                try? await limiter.take(peer.id) { () async throws(ClientError) in
                    await answer(request, envelope, peer)
                }
            }
        }
    }

    /// The request's turn ends when its answer is on its way. A client that takes its answers slowly would otherwise fill the
    /// memory with them.
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

    /// A client takes too few of its answers, or has taken enough of them: its requests wait until then.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        limits.hold(connection, isHeld)
    }

    /// The connection has ended.
    func forget(_ connection: ConnectionID) {
        limits.forget(connection)
        submit(.connectionEnded(connection))
        subscriptions.removeAll(of: connection)
    }

    // MARK: What the scheduler does

    /// The dispatcher's answer to a change.
    func changed(_ requestID: RequestID, _ result: ChangeResult) {
        submit(.changed(requestID, result))
    }

    /// The status snapshot may know of another leader.
    func leadershipChanged() {
        submit(nil)
    }

    /// The dispatcher has ended: open requests are refused.
    func stop() {
        submit(.stopped)
    }

    // MARK: The machine

    private func nextRequestID() -> RequestID {
        lastRequestID.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Gives the machine an event, and the latest leadership before it. The snapshot is read under the machine's lock, so the
    /// last one that reads it is also the last one that the machine hears of.
    private func submit(_ event: RequestEvent?) {
        let now = status.clusterTime()
        let (actions, farewells) = held.withLock { held in
            var actions: [RequestAction] = []
            var farewells: [Subscriptions.Farewell] = []
            let leadership = RequestEvent.leadershipChanged(status.leadership)
            held.machine.handle(leadership, at: now, using: &held.random, into: &actions)
            if let event { held.machine.handle(event, at: now, using: &held.random, into: &actions) }
            // A watch must not start after the end of all watches that was decided later.
            actions.removeAll { changeWatches($0, &farewells) }
            return (actions, farewells)
        }
        for farewell in farewells { farewell.send() }
        for action in actions { perform(action) }
    }

    /// Returns whether the action was about watches, and was done.
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
