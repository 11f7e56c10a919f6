import CarillonCore
import CarillonWire
import TestSupport

/// Drives the real request machine of a simulated scheduler: executes reads in the simulated database, passes changes
/// to the dispatcher, and sends responses as bytes.
final class RequestRunner {
    private unowned let world: World
    private unowned let scheduler: SchedulerProcess
    private var machine: RequestMachine
    private var leadership = LeadershipStatus.standingBy(leader: nil)
    private var waiting: [RequestID: (link: Link, envelope: UInt64)] = [:]
    private var nextRequestID: RequestID = 1

    init(world: World, scheduler: SchedulerProcess) {
        self.world = world
        self.scheduler = scheduler
        machine = Self.machine(of: world)
    }

    private static func machine(of world: World) -> RequestMachine {
        RequestMachine(
            rules: world.rules,
            plan: world.planSource,
            maxFrameBytes: Int(ConnectionLimits().maxFrameBytes)
        )
    }

    func processEnded() {
        machine = Self.machine(of: world)
        leadership = .standingBy(leader: nil)
        waiting = [:]
    }

    // MARK: Events

    func handle(_ request: Request, id envelope: UInt64, over link: Link) {
        let requestID = nextRequestID
        nextRequestID += 1
        waiting[requestID] = (link, envelope)
        submit(.requested(requestID, request, from: link.id))
    }

    func connectionEnded(_ link: ConnectionID) { submit(.connectionEnded(link)) }

    /// The dispatcher's answer to a change.
    func answered(_ requestID: RequestID, _ result: ChangeResult) {
        world.oracle.answered(result, by: scheduler)
        if case .stale = result { world.count("client found another version") }
        submit(.changed(requestID, result))
    }

    /// Must be called after each turn of the dispatcher.
    func lookAtLeadership() {
        if leadership != scheduler.leadership { submit(nil) }
    }

    private func submit(_ event: RequestEvent?) {
        var actions: [RequestAction] = []
        leadership = scheduler.leadership
        let now = scheduler.clusterTime
        machine.handle(.leadershipChanged(leadership), at: now, using: &world.random, into: &actions)
        if let event { machine.handle(event, at: now, using: &world.random, into: &actions) }
        let inconsistency = machine.inconsistency
        world.oracle.require(inconsistency == nil, "the requests of \(scheduler.address): \(inconsistency ?? "")")
        for action in actions { perform(action) }
    }

    // MARK: Actions

    private func perform(_ action: RequestAction) {
        switch action {
        case .read(let requestID, let read): perform(read, requestID)
        case .change(let requestID, let request): scheduler.post(.changeRequested(requestID, request))
        case .refresh(let planned):
            world.count("row handed over before its change")
            scheduler.post(.jobRead(planned))
        case .reply(let requestID, let reply): send(reply, requestID)
        case .startWatch, .endWatch, .stopWatch, .endAllWatches:
            // Simulated clients do not watch executions.
            break
        }
    }

    private func perform(_ read: RequestRead, _ requestID: RequestID) {
        switch read {
        case .editedJobs:
            scheduler.refresh()
            submit(.read(requestID, .editedJobs(jobCount: 0)))
        case .cluster:
            submit(.read(requestID, .failed(ReadError("a simulated scheduler has no description of the cluster"))))
        default:
            let now = world.databaseTime
            world.database.query(scheduler, { $0.result(of: read, now: now) }) { [self] found in
                if case .idempotencyKey(_?) = found { world.count("client asked twice with one key") }
                submit(.read(requestID, found ?? .failed(ReadError("simulated"))))
            }
        }
    }

    private func send(_ reply: RequestReply, _ requestID: RequestID) {
        guard let (link, envelope) = waiting.removeValue(forKey: requestID) else {
            return world.oracle.require(false, "request \(requestID) was answered twice")
        }
        switch ReplyRenderer(plan: world.planSource).render(reply, at: scheduler.clusterTime) {
        case .success(let answer):
            link.send(Envelope(id: envelope, .answer(answer)), from: .scheduler)
        case .failure(let error):
            if error.reason == .versionMismatch { world.count("client changed what another one had changed") }
            link.send(Envelope(id: envelope, .error(error)), from: .scheduler)
        }
    }
}
