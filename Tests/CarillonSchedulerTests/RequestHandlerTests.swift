import CarillonCore
import CarillonRuntime
import CarillonSystem
import CarillonWire
import TestSupport
import Testing

@testable import CarillonScheduler

/// The handler without a dispatcher: the test takes the dispatcher's part.
@Suite(.timeLimit(.minutes(1))) struct RequestHandlerTests {
    private let events = Journal<Event>()
    private let status = StatusSnapshot()
    private let subscriptions = Subscriptions()
    private let eventLoop: EventLoopThread<Event>
    private let handler: RequestHandler
    private let client: TestClient

    init() {
        let database = MemoryDatabase()
        let (status, events, subscriptions) = (status, events, subscriptions)
        eventLoop = EventLoopThread(name: "test") { posted, _ in
            for event in posted { events.append(event) }
            return nil
        }
        let catalog = PlanCatalog(zones: StubZones())
        let plan: ReplyRenderer.PlanSource = { catalog.plan($0, $1, $2) }
        let rules = JobRules(defaults: JobDefaults(), plan: plan)
        let store = MemoryJobStore(database) { _ in }
        let reader = MemoryReader(database)
        let refresher = Refresher(
            everyMs: 60_000,
            store: store,
            rules: rules,
            logger: quiet,
            eventLoop: eventLoop,
            clusterTime: { status.clusterTime() }
        )
        let cluster = ClusterReader(
            configuration: SchedulerConfiguration(dispatcher: DispatcherConfiguration(owner: .zero), version: "test"),
            store: store,
            reader: reader,
            peers: Peers(),
            status: status,
            zones: StubZones(),
            startedAt: Timestamp(milliseconds: 0)
        )
        let handler = RequestHandler(
            machine: RequestMachine(rules: rules, plan: plan, maxFrameBytes: 4 << 20),
            reads: RequestReads(store: store, reader: reader, refresher: refresher, status: status, cluster: cluster),
            renderer: ReplyRenderer(plan: plan),
            subscriptions: subscriptions,
            status: status,
            eventLoop: eventLoop
        )
        self.handler = handler
        client = TestClient(1) { envelope, peer in
            if case .request(let request) = envelope.message { handler.handle(request, id: envelope.id, from: peer) }
        }
        handler.open(1)
        eventLoop.start()
    }

    private func lead(epoch: Int64?) {
        var status = Status()
        status.epoch = epoch
        status.isLeading = epoch != nil
        if self.status.update(status) { handler.leadershipChanged() }
    }

    /// The request id of the first change.
    private func change() async -> RequestID? {
        let event = await events.first { if case .changeRequested = $0 { true } else { false } }
        guard case .changeRequested(let requestID, _) = event else { return nil }
        return requestID
    }

    private let create = Request.createJob(.new(), idempotencyKey: nil, fingerprint: nil)

    @Test func `a change waits for the dispatcher's answer`() async throws {
        lead(epoch: 1)
        let id = client.post(create)
        let requestID = try #require(await change())
        #expect(client.link.sent.elements.isEmpty)
        handler.changed(requestID, .refused(ClientError(.unavailable, "not now")))
        await #expect(throws: ClientError.self) { try await client.answer(to: id) }
        handler.changed(requestID, .refused(ClientError(.unavailable, "again")))
        #expect(client.link.sent.elements.count == 1)
        eventLoop.stop()
    }

    @Test func `changes without an answer of the dispatcher are refused at the stop`() async throws {
        lead(epoch: 1)
        let id = client.post(create)
        _ = await change()
        eventLoop.stop()
        handler.stop()
        await #expect(throws: ClientError.schedulerStopping) { try await client.answer(to: id) }
        #expect(await client.error(create) == .schedulerStopping)
    }

    @Test func `a watch gets all changes from its request until it is stopped`() async throws {
        lead(epoch: 1)
        let row = Execution(
            id: ExecutionID(.zero),
            jobID: JobID(.zero),
            trigger: .manual,
            scheduledTime: Timestamp(milliseconds: 0),
            status: .success,
            createdAt: Timestamp(milliseconds: 0)
        )
        let watch = client.post(.watchExecutions(nil))
        subscriptions.tell([row])
        #expect(client.link.sent.elements.count == 1)
        client.post(.stopWatching, id: watch)
        subscriptions.tell([row])
        #expect(client.link.sent.elements.count == 1)
        client.post(.watchExecutions(nil))
        lead(epoch: 2)
        subscriptions.tell([row])
        #expect(client.link.sent.elements.count == 2, "a new leader ends the watch with an error")
        client.post(.watchExecutions(nil))
        handler.forget(1)
        subscriptions.tell([row])
        #expect(client.link.sent.elements.count == 2)
        eventLoop.stop()
    }

    @Test func `a standby refuses a watch at once`() async throws {
        status.leaderAddress = "two.test:7070"
        client.post(.watchExecutions(nil))
        guard case .error(let error)? = client.link.sent.elements.first?.message else {
            Issue.record("no error")
            return
        }
        #expect(error.leaderAddress == "two.test:7070")
        eventLoop.stop()
    }

    @Test func `a turn of the dispatcher does not lose the leader's address`() async {
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<1_000 {
                group.addTask { [status] in
                    status.update(Status())
                    if number == 500 { status.leaderAddress = "two.test:7070" }
                    status.update(Status())
                }
            }
        }
        #expect(status.leadership == .standingBy(leader: "two.test:7070"))
        status.ownAddress = "two.test:7070"
        #expect(status.leadership == .standingBy(leader: nil), "a scheduler does not name itself as the leader")
        eventLoop.stop()
    }

    @Test func `observers that fall behind end watches, and the metrics still count`() async {
        lead(epoch: 1)
        let registry = MetricsRegistry(component: "test")
        let observers = Observers(
            metrics: SchedulerMetrics(registry: registry),
            driftLog: DriftLog(logger: quiet),
            subscriptions: subscriptions,
            requests: handler,
            log: SchedulerLog(quiet),
            maxBacklogRows: 2
        )
        let row = Execution(
            id: ExecutionID(.zero),
            jobID: JobID(.zero),
            trigger: .manual,
            scheduledTime: Timestamp(milliseconds: 0),
            status: .success,
            createdAt: Timestamp(milliseconds: 0)
        )
        client.post(.watchExecutions(nil))
        observers.post([.recorded([row, row])])
        #expect(client.link.sent.elements.isEmpty)
        observers.post([.recorded([row])])
        guard case .error(let error)? = client.link.sent.elements.first?.message else {
            Issue.record("no error")
            return
        }
        #expect(error.code == .resourceExhausted)
        observers.start()
        observers.stop()
        #expect(registry.render().contains("carillon_executions_total{status=\"SUCCESS\"} 3"))
        eventLoop.stop()
    }
}
