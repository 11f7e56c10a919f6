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
    private let waiting = Mutex<[Ticket: Waiting]>([:])
    private let lastTicket = Atomic<Ticket>(0)
    private let limits = RequestLimits()
    private let reads: RequestReads
    private let renderer: ReplyRenderer
    private let watchers: Watchers
    private let status: StatusBoard
    private let pump: Pump<Event>

    /// - Parameter pump: takes the changes.
    init(
        machine: RequestMachine,
        reads: RequestReads,
        renderer: ReplyRenderer,
        watchers: Watchers,
        status: StatusBoard,
        pump: Pump<Event>
    ) {
        held = Mutex(Held(machine: machine))
        self.reads = reads
        self.renderer = renderer
        self.watchers = watchers
        self.status = status
        self.pump = pump
    }

    // MARK: What clients do

    /// Does a request and sends its answer.
    func handle(_ request: Request, id envelope: UInt64, from peer: AcceptedPeer) {
        switch request {
        case .watchExecutions, .stopWatching:
            // At once: a watch must see what the requests behind it on the connection do.
            let ticket = nextTicket()
            waiting.withLock { $0[ticket] = .watch(peer.link, peer.id, envelope: envelope) }
            submit(.requested(ticket, request, from: peer.id))
            // A watch that has started is known to `watchers`.
            waiting.withLock { $0[ticket] = nil }
        default:
            Task {
                guard let turns = limits.turns(for: request) else { return await answer(request, envelope, peer) }
                // A request of a connection that has ended is not done: nobody waits for the answer.
                try? await turns.take(peer.id) { () async throws(ClientError) in
                    await answer(request, envelope, peer)
                }
            }
        }
    }

    /// The request's turn ends when its answer is on its way. A client that takes its answers slowly would otherwise fill the
    /// memory with them.
    private func answer(_ request: Request, _ envelope: UInt64, _ peer: AcceptedPeer) async {
        let reply = await withCheckedContinuation { continuation in
            let ticket = nextTicket()
            waiting.withLock { $0[ticket] = .reply(continuation) }
            submit(.requested(ticket, request, from: peer.id))
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
        watchers.removeAll(of: connection)
    }

    // MARK: What the scheduler does

    /// The dispatcher's answer to a change.
    func changed(_ ticket: Ticket, _ result: ChangeResult) {
        submit(.changed(ticket, result))
    }

    /// The status board may know of another leader.
    func leadershipChanged() {
        submit(nil)
    }

    /// The dispatcher has ended: open requests are refused.
    func stop() {
        submit(.stopped)
    }

    // MARK: The machine

    private func nextTicket() -> Ticket {
        lastTicket.wrappingAdd(1, ordering: .relaxed).newValue
    }

    /// Gives the machine an event, and the latest leadership before it. The board is read under the machine's lock, so the
    /// last one that reads it is also the last one that the machine hears of.
    private func submit(_ event: RequestEvent?) {
        let now = status.clusterTime()
        let (actions, farewells) = held.withLock { held in
            var actions: [RequestAction] = []
            var farewells: [Watchers.Farewell] = []
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
    private func changeWatches(_ action: RequestAction, _ farewells: inout [Watchers.Farewell]) -> Bool {
        switch action {
        case .startWatch(let ticket, let job):
            guard case .watch(let link, let connection, let envelope) = waiting.withLock({ $0[ticket] }) else { break }
            watchers.add(ticket, link, connection: connection, envelope: envelope, job: job)
        case .endWatch(let ticket, let error):
            farewells += watchers.end(ticket, with: error)
        case .stopWatch(let ticket):
            guard case .watch(_, let connection, let envelope) = waiting.withLock({ $0[ticket] }) else { break }
            watchers.remove(connection: connection, envelope: envelope)
        case .endAllWatches(let error):
            farewells += watchers.endAll(with: error)
        case .read, .change, .refresh, .reply:
            return false
        }
        return true
    }

    private func perform(_ action: RequestAction) {
        switch action {
        case .read(let ticket, let read):
            reads.perform(read) { [self] result in submit(.read(ticket, result)) }
        case .change(let ticket, let request):
            if !pump.post(.changeRequested(ticket, request)) { changed(ticket, .refused(.schedulerStopping)) }
        case .refresh(let planned):
            pump.post(.jobRead(planned))
        case .reply(let ticket, let reply):
            switch waiting.withLock({ $0.removeValue(forKey: ticket) }) {
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
