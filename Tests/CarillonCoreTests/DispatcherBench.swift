import CarillonCore
import CarillonCron
import TestSupport

/// A dispatcher with an in-memory store that answers immediately or on request, and a record of all actions.
struct DispatcherBench: ~Copyable {
    var dispatcher: Dispatcher
    var store = MemoryStore()
    var random = SeededGenerator(seed: 7)
    /// Milliseconds of boot time.
    var bootMs: Int64 = 1_000
    /// How far the database's clock is ahead of boot time.
    var databaseAheadMs: Int64
    var commitsAreHeld = false
    var heldCommits: [WriteBatch] = []
    var leasesAreHeld = false
    /// How many of the next reads of outage rows fail.
    var outageReadsFail = 0
    var outageReadsAreHeld = false
    var heldOutages: [Outage] = []
    var rowReadsAreHeld = false
    var heldRowReads: [(outcome: CallOutcome, worker: String, link: ConnectionID)] = []
    var dispatched: [(link: ConnectionID, call: DispatchedCall)] = []
    var acknowledged: [DispatchToken] = []
    var results: [DispatchToken: AckResult] = [:]
    var acknowledgedOver: [DispatchToken: ConnectionID] = [:]
    var queried: [(link: ConnectionID, claim: QueriedClaim)] = []
    var refused: [ConnectionID] = []
    var logEvents: [DispatcherLogEvent] = []
    var handedOver: [UniqueID] = []
    var replies: [(requestID: RequestID, result: ChangeResult)] = []
    var leads: [ConnectionID] = []
    /// The process of the worker named `worker`, by connection.
    private var processes: [ConnectionID: UInt64] = [:]
    var cancelled: [DispatchToken] = []
    var found: [CallOutcome] = []
    let owner = UniqueID(high: 1, low: 1)

    /// 2026-11-24T10:00:00Z.
    static let beginning = Timestamp(milliseconds: 1_795_514_400_000)

    init(maxOpenExecutions: Int = 250_000, recordDelayMs: Int = 0) {
        dispatcher = Dispatcher(
            configuration: DispatcherConfiguration(
                owner: UniqueID(high: 1, low: 1),
                maxOpenExecutions: maxOpenExecutions,
                recordDelayMs: recordDelayMs
            )
        )
        databaseAheadMs = Self.beginning.milliseconds - 1_000
    }

    var now: Now { Now(wall: Timestamp(milliseconds: 0), boot: BootTime(nanoseconds: bootMs * 1_000_000)) }
    var time: Timestamp { Timestamp(milliseconds: bootMs + databaseAheadMs) }

    /// Becomes the leader, with a worker with this number of slots on link 1.
    mutating func lead(slots: UInt64 = 10) {
        tell(.tick)
        join(1, slots: slots)
    }

    /// Connects the worker process `boot`. An earlier process has ended: its connections are closed first.
    mutating func join(_ link: ConnectionID, boot: UInt64 = 1, slots: UInt64 = 10, held: [HeldCall] = []) {
        for (other, process) in processes.sorted(by: { $0.key < $1.key }) where process != boot {
            processes[other] = nil
            tell(.workerLeft(other))
        }
        processes[link] = boot
        tell(
            .workerJoined(
                link,
                name: "worker",
                bootID: UniqueID(high: 0, low: boot),
                maxWorkers: max(1_000, Int(slots))
            )
        )
        answerLead(link, slots: slots, held: held)
    }

    /// Connects a worker with another name, which answers the Lead.
    mutating func join(
        _ link: ConnectionID,
        name: String,
        boot: UInt64? = nil,
        slots: UInt64 = 10,
        held: [HeldCall] = []
    ) {
        let bootID = UniqueID(high: 7, low: boot ?? UInt64(link))
        tell(.workerJoined(link, name: name, bootID: bootID, maxWorkers: Int(slots)))
        answerLead(link, slots: slots, held: held)
    }

    /// Loses the lead and takes it again under a new epoch.
    mutating func loseLead(_ meanwhile: [Event] = []) {
        tell(.leaseConnectionLost("test"))
        for event in meanwhile { tell(event) }
        while !dispatcher.isLeading { pass(ms: 50) }
    }

    mutating func answerLead(_ link: ConnectionID, slots: UInt64 = 10, held: [HeldCall] = []) {
        tell(.workerHeld(link, epoch: store.shards[0].epoch, held))
        tell(.workerGranted(link, slots))
    }

    mutating func tell(_ event: Event) {
        var events = [event]
        if case .tick = event { events = [] }
        while true {
            var actions: [Action] = []
            for event in events { dispatcher.handle(event, at: now, using: &random, into: &actions) }
            dispatcher.handle(.tick, at: now, using: &random, into: &actions)
            events = []
            for action in actions { perform(action, &events) }
            if events.isEmpty { return }
        }
    }

    /// Advances time in steps of 50 ms.
    mutating func pass(ms milliseconds: Int64) {
        let end = bootMs + milliseconds
        while bootMs < end {
            bootMs = min(end, bootMs + 50)
            tell(.tick)
        }
    }

    mutating func releaseCommits() {
        commitsAreHeld = false
        let batches = heldCommits
        heldCommits = []
        for batch in batches { answer(batch) }
    }

    /// Answers one commit with the store's result, or with a refusal.
    mutating func answer(_ batch: WriteBatch, refusing isRefused: Bool = false) {
        let result: CommitResult =
            isRefused ? .refused(message: "will not have it", constraint: nil) : store.commit(batch, now: time)
        tell(.committed(result, epoch: batch.epoch, sequence: batch.sequence))
    }

    private mutating func perform(_ action: Action, _ events: inout [Event]) {
        switch action {
        case .handOverLease(let epoch, let standby):
            handedOver.append(standby)
            store.releaseLease(session: 1, owner: owner, epoch: epoch, standby: standby, now: time)
        case .acquireLease(let floor, _):
            let result = store.acquireLease(
                session: 1,
                owner: owner,
                address: "",
                leaseMs: 5_000,
                above: floor,
                now: time
            )
            events.append(.leaseAnswered(result, sentAt: now.boot))
        case .renewLease(let epoch):
            guard !leasesAreHeld else { return }
            let result = store.renewLease(session: 1, owner: owner, epoch: epoch, leaseMs: 5_000, now: time)
            events.append(.leaseAnswered(result, sentAt: now.boot))
        case .releaseLease: events.append(.leaseReleased)
        case .loadJobs: events.append(.jobsLoaded(store.livingJobs.map(Self.planned), isLast: true))
        case .loadJobsNamed(let ids):
            events.append(.jobsLoaded(ids.compactMap { store.jobs[$0] }.map(Self.planned), isLast: true))
        case .loadOpenExecutions(let since):
            events.append(.openExecutionsLoaded(store.openExecutions(since: since), isLast: true))
        case .loadOutageRows(let outage):
            if outageReadsAreHeld {
                heldOutages.append(outage)
            } else if outageReadsFail > 0 {
                outageReadsFail -= 1
                events.append(.loadFailed("test"))
            } else {
                events.append(.outageRowsLoaded(store.outageRows(outage), isLast: true))
            }
        case .findExecution(let outcome, let worker, let link):
            found.append(outcome)
            guard !rowReadsAreHeld else { return heldRowReads.append((outcome, worker, link)) }
            events.append(
                .executionFound(store.executions[outcome.executionID], outcome: outcome, worker: worker, link: link)
            )
        case .commit(let batch):
            if commitsAreHeld {
                heldCommits.append(batch)
            } else {
                events.append(.committed(store.commit(batch, now: time), epoch: batch.epoch, sequence: batch.sequence))
            }
        case .announceLead(let link, _, let shards): if !shards.isEmpty { leads.append(link) }
        case .dispatch(let link, _, let calls): dispatched += calls.map { (link, $0) }
        case .acknowledge(let link, let outcomes):
            acknowledged += outcomes.map(\.token)
            for outcome in outcomes {
                results[outcome.token] = outcome.result
                acknowledgedOver[outcome.token] = link
            }
        case .cancelCalls(_, let tokens): cancelled += tokens
        case .queryClaims(let link, let claims): queried += claims.map { (link, $0) }
        case .refuseWorker(let link, _): refused.append(link)
        case .reply(let requestID, let result): replies.append((requestID, result))
        case .log(let logEvent): logEvents.append(logEvent)
        case .recorded, .stopped, .beginEditSearch, .extendEditSearch: break
        }
    }

    /// Answers the reads of rows that were held.
    mutating func releaseRowReads() {
        rowReadsAreHeld = false
        let reads = heldRowReads
        heldRowReads = []
        for (outcome, worker, link) in reads {
            let row = store.executions[outcome.executionID]
            tell(.executionFound(row, outcome: outcome, worker: worker, link: link))
        }
    }

    static func planned(_ job: Job) -> PlannedJob {
        let expression = try? CronExpression(job.schedule)
        return PlannedJob(job: job, plan: expression.map { SchedulePlan(expression: $0, zone: .utc, policy: .cron) })
    }

    static func job(_ number: UInt64, every seconds: Int, name: String? = nil) -> Job {
        let zero = Timestamp(milliseconds: 0)
        return Job(
            id: JobID(UniqueID(high: 0, low: number)),
            name: name,
            schedule: "@every \(seconds)s",
            call: HTTPCall(url: "http://target/"),
            effectiveFrom: zero,
            createdAt: zero,
            updatedAt: zero
        )
    }

    mutating func create(_ job: Job) {
        tell(.changeRequested(900, .create(Self.planned(job), nil)))
    }

    mutating func run(_ job: Job, requestID: RequestID) {
        let nonce = UniqueID(high: 9, low: requestID)
        tell(.changeRequested(requestID, .run(job.id, nil, nonce: nonce)))
    }

    /// Reports a call as its worker.
    mutating func report(
        _ call: DispatchedCall,
        over link: ConnectionID = 1,
        _ kind: OutcomeKind = .answered,
        status: Int? = 200
    ) {
        tell(.workerReported(link, [Self.outcome(call, kind, status: status)]))
    }

    static func outcome(_ call: DispatchedCall, _ kind: OutcomeKind = .answered, status: Int? = 200) -> CallOutcome {
        CallOutcome(
            token: call.token,
            code: call.code,
            shard: call.shard,
            executionID: call.executionID,
            jobID: call.jobID,
            attempt: call.attempt,
            kind: kind,
            durationMicroseconds: 40_000,
            httpStatus: kind == .answered ? status : nil
        )
    }

    /// The code of a token as a scheduler of this cluster issues it to a worker process.
    static func code(
        _ token: DispatchToken,
        _ id: ExecutionID,
        attempt: Int,
        worker: String = "worker",
        boot: UniqueID = UniqueID(high: 0, low: 1)
    ) -> AuthenticationCode {
        ClusterKey(secret: MemoryStore.clusterSecret).workerKey(name: worker, bootID: boot)
            .code(of: token, id, attempt: attempt)
    }
}
