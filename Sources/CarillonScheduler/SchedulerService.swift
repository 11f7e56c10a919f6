package import CarillonCore
internal import CarillonRuntime
internal import CarillonWire
package import Logging
internal import Synchronization

/// Runs the dispatcher: translates network, database and time into its events, and carries out its actions.
package final class SchedulerService: Sendable {
    let configuration: SchedulerConfiguration
    let logger: Logger
    let eventLoop: EventLoopThread<Event>
    let peers: Peers
    let requests: RequestHandler
    let status: StatusSnapshot
    let log: SchedulerLog
    private let store: any JobStore
    private let dispatcher: LockedDispatcher
    private let catalog: PlanCatalog
    private let zones: any ZoneSource
    private let rules: JobRules
    private let refresher: Refresher
    private let observers: Observers

    package init(
        configuration: SchedulerConfiguration,
        store: any JobStore,
        reader: any HistoryReader,
        zones: any ZoneSource,
        metrics: SchedulerMetrics,
        logger: Logger
    ) {
        let catalog = PlanCatalog(zones: zones)
        let plan: ReplyRenderer.PlanSource = { catalog.plan($0, $1, $2) }
        let rules = JobRules(defaults: configuration.defaults, plan: plan)
        let status = StatusSnapshot()
        let peers = Peers()
        let subscriptions = Subscriptions()
        let turn = Turn()
        // A leader wakes for each renewal of the lease. The longest sleep is for a turn whose wake-up was lost.
        let eventLoop = EventLoopThread<Event>(name: "dispatcher", maxSleepMs: 2_000) { events, now in
            turn.run(&events, now)
        }
        self.configuration = configuration
        self.store = store
        self.zones = zones
        self.logger = logger
        self.catalog = catalog
        self.rules = rules
        self.status = status
        self.peers = peers
        self.eventLoop = eventLoop
        dispatcher = LockedDispatcher(Dispatcher(configuration: configuration.dispatcher))
        log = SchedulerLog(logger)
        refresher = Refresher(
            everyMs: configuration.refreshIntervalMs,
            store: store,
            rules: rules,
            logger: logger,
            eventLoop: eventLoop,
            clusterTime: { status.clusterTime() }
        )
        let cluster = ClusterReader(
            configuration: configuration,
            store: store,
            reader: reader,
            peers: peers,
            status: status,
            zones: zones,
            startedAt: SystemClock.now().wall
        )
        requests = RequestHandler(
            machine: RequestMachine(rules: rules, plan: plan, maxFrameBytes: configuration.maxFrameBytes),
            reads: RequestReads(store: store, reader: reader, refresher: refresher, status: status, cluster: cluster),
            renderer: ReplyRenderer(plan: plan, describe: { catalog.description(of: $0) }),
            subscriptions: subscriptions,
            status: status,
            eventLoop: eventLoop
        )
        observers = Observers(
            metrics: metrics,
            driftLog: DriftLog(logger: logger),
            subscriptions: subscriptions,
            requests: requests,
            log: log
        )
        metrics.read(status: { status.current }, workerNames: { peers.workerNames })
        turn.service = self
    }

    /// Starts to ask for the lease. Returns at once.
    /// - Parameter address: host:port at which clients and workers reach this scheduler.
    package func start(address: String) {
        status.ownAddress = address
        observers.start()
        eventLoop.start()
    }

    /// Reads jobs that were changed in SQL, reads new time zone data, and maintains the partitions, until cancelled.
    package func maintain() async {
        await refresher.run(
            retentionDays: configuration.retentionDays,
            isLeading: { self.status.current.isLeading },
            reloadZones: {
                let changed = self.zones.reload()
                self.catalog.forget(zones: changed)
                return changed
            }
        )
    }

    /// Stops dispatching, records the calls that were dispatched, and releases the lease. Returns when that is done, or
    /// after `limitMs`.
    package func stop(limitMs: Int = 8_000) async {
        eventLoop.post(.stopRequested)
        await dispatcher.waitUntilStopped(limitMs: limitMs)
        eventLoop.stop()
        observers.stop()
        requests.stop()
    }

    /// Whether clients can be served, and if not, why.
    package var readiness: (isReady: Bool, text: String) { status.readiness(of: store.health, limitMs: leaseMs) }

    private var leaseMs: Int64 { Int64(configuration.dispatcher.leaseMs) }

    /// Must be called as soon as the lease connection breaks.
    package func leaseConnectionLost(_ text: String) {
        eventLoop.post(.leaseConnectionLost(text))
    }

    // MARK: One turn of the dispatcher

    fileprivate func run(_ events: inout [Event], at now: Now) -> BootTime? {
        let (actions, leaseDeadline) = dispatcher.turn(events, at: now)
        events.removeAll(keepingCapacity: true)
        var observations: [Observers.Observation] = []
        for action in actions { perform(action, leaseDeadline, &observations) }
        let end = SystemClock.now()
        let before = status.current
        if status.update(dispatcher.status(at: end)) {
            tellClients(before, status.current)
            observations.append(.leadershipChanged)
        }
        observers.post(observations)
        return dispatcher.wake(after: end)
    }

    private func perform(
        _ action: Action,
        _ leaseDeadline: BootTime?,
        _ observations: inout [Observers.Observation]
    ) {
        switch action {
        case .acquireLease(let floor, let usableWorkers):
            lease(
                .acquireLease(
                    owner: configuration.dispatcher.owner,
                    address: status.ownAddress,
                    leaseMs: configuration.dispatcher.leaseMs,
                    above: floor,
                    usableWorkers: usableWorkers
                )
            )
        case .handOverLease(let epoch, let standby):
            store.submit(
                .releaseLease(owner: configuration.dispatcher.owner, epoch: epoch, standby: standby)
            ) { _ in }
        case .renewLease(let epoch):
            lease(
                .renewLease(
                    owner: configuration.dispatcher.owner,
                    epoch: epoch,
                    leaseMs: configuration.dispatcher.leaseMs
                )
            )
        case .releaseLease(let epoch):
            store.submit(.releaseLease(owner: configuration.dispatcher.owner, epoch: epoch)) {
                [dispatcher, eventLoop] _ in
                eventLoop.post(.leaseReleased)
                dispatcher.released()
            }
        case .loadJobs: load(.loadJobs)
        case .loadJobsNamed(let ids): load(.loadJobsNamed(ids))
        case .loadOpenExecutions(let since): load(.loadOpenExecutions(since: since))
        case .loadOutageRows(let outage): load(.loadOutageRows(outage))
        case .commit(let batch): commit(batch)
        case .findExecution(let outcome, let worker, let link):
            store.submit(.findExecution(outcome.executionID)) { [eventLoop] answer in
                if case .execution(let execution) = answer {
                    eventLoop.post(.executionFound(execution, outcome: outcome, worker: worker, link: link))
                } else {
                    eventLoop.post(.executionNotRead(outcome, worker: worker, link: link))
                }
            }
        case .announceLead(let link, let lead, let shards):
            peers.send(.lead(lead, shards: shards), to: link)
        case .dispatch(let link, let clusterTime, let calls):
            if let leaseDeadline {
                peers.send(.dispatch(clusterTime: clusterTime, calls), to: link, before: leaseDeadline)
            }
        case .acknowledge(let link, let outcomes): peers.send(.outcomeAck(outcomes), to: link)
        case .cancelCalls(let link, let tokens): peers.send(.cancel(tokens), to: link)
        case .queryClaims(let link, let claims): peers.send(.claimQuery(claims), to: link)
        case .refuseWorker(let link, let error):
            peers.send(.error(error), to: link)
            peers.link(link)?.close(why: error.text)
        case .reply(let requestID, let result): observations.append(.changed(requestID, result))
        case .recorded(let executions): observations.append(.recorded(executions))
        case .beginEditSearch(let clusterTime): refresher.jobsAreRead(at: clusterTime)
        case .extendEditSearch(let milliseconds): refresher.clockWentBack(by: milliseconds)
        case .log(let logEvent): observations.append(.logged(logEvent))
        case .stopped: dispatcher.stopped()
        }
    }

    private func lease(_ request: StoreRequest) {
        let sentAt = SystemClock.bootTime()
        store.submit(request) { [eventLoop, status] answer in
            switch answer {
            case .lease(let result):
                if case .heldByOther(let leader, _) = result { status.leaderAddress = leader }
                eventLoop.post(.leaseAnswered(result, sentAt: sentAt))
            case .leaseConnectionLost(let text), .failed(let text):
                eventLoop.post(.leaseConnectionLost(text))
            default:
                break
            }
        }
    }

    private func load(_ request: StoreRequest) {
        store.submit(request) { [eventLoop, rules] answer in
            switch answer {
            case .jobs(let jobs, let isLast): eventLoop.post(.jobsLoaded(jobs.map(rules.planned), isLast: isLast))
            case .openExecutions(let rows, let isLast): eventLoop.post(.openExecutionsLoaded(rows, isLast: isLast))
            case .outageRows(let rows, let isLast): eventLoop.post(.outageRowsLoaded(rows, isLast: isLast))
            case .failed(let text): eventLoop.post(.loadFailed(text))
            default: break
            }
        }
    }

    private func commit(_ batch: WriteBatch) {
        let (epoch, sequence) = (batch.epoch, batch.sequence)
        store.submit(.commit(batch)) { [eventLoop] answer in
            if case .commit(let result) = answer {
                eventLoop.post(.committed(result, epoch: epoch, sequence: sequence))
            }
        }
    }
}

/// Gives the event loop's closure access to the service that owns the event loop. Set once, before the event loop starts.
private final class Turn: Sendable {
    private let held = Mutex<WeakService>(WeakService())

    private struct WeakService: Sendable {
        weak var service: SchedulerService?
    }

    var service: SchedulerService? {
        get { held.withLock { $0.service } }
        set { held.withLock { $0.service = newValue } }
    }

    func run(_ events: inout [Event], _ now: Now) -> BootTime? {
        service?.run(&events, at: now)
    }
}
