import CarillonCore
import TestSupport

/// Clients that create, change, run and cancel at random, and remember what they were told.
final class Clients {
    private struct Waiting {
        var scheduler: Int
        var question: Question
    }

    private unowned let world: World
    private var waiting: [Ticket: Waiting] = [:]
    private var nextTicket: Ticket = 1
    private var nextName = 1
    private var isPausing = false
    /// Requests that have no answer yet.
    private var unanswered = 0
    /// Whom they take for the leader.
    private lazy var believed = world.schedulers[0]
    /// Creates that have no answer yet.
    private var unfinished = 0
    /// Executions that somebody asked to cancel.
    private(set) var cancelled: Set<ExecutionID> = []
    /// Jobs that somebody asked to pause or to delete: their retries may end at any time.
    var ended: Set<JobID> = []
    /// Idempotency keys whose create was answered.
    private(set) var created: [String] = []

    init(world: World) {
        self.world = world
    }

    private var store: MemoryStore { world.database.store }

    private var livingJobs: [Job] { store.livingJobs }

    var areDone: Bool { unanswered == 0 && unfinished == 0 && livingJobs.allSatisfy { !$0.active } }

    func begin() {
        for _ in 0..<world.options.jobs { create() }
        planChange()
    }

    private func planChange() {
        guard world.options.changesPerSecond > 0 else { return }
        let wait = Double.random(in: 0..<2, using: &world.random) / world.options.changesPerSecond
        world.after(Int64(wait * 1_000_000)) { [self] in
            guard world.faultsAreOn else { return }
            change()
            planChange()
        }
    }

    // MARK: Asking

    /// A request on its way to whoever leads.
    private struct Question {
        var request: ChangeRequest
        var answer: (ChangeResult?) -> Void
        /// How long a take-over is waited for.
        var until: Int64
    }

    /// Asks a scheduler, and follows it to the leader; `nil` comes back when nobody leads for long, or when nobody knows
    /// what became of the request.
    private func ask(_ request: ChangeRequest, _ answer: @escaping (ChangeResult?) -> Void) {
        unanswered += 1
        let question = Question(
            request: request,
            answer: { [self] result in
                unanswered -= 1
                answer(result)
            },
            until: world.time + 8_000_000
        )
        ask(question, at: believed)
    }

    private func ask(_ question: Question, at scheduler: SchedulerProcess) {
        let life = scheduler.life
        world.after(latency()) { [self] in
            guard scheduler.life == life, scheduler.isAlive else { return askAnother(question) }
            let ticket = nextTicket
            nextTicket += 1
            waiting[ticket] = Waiting(scheduler: scheduler.index, question: question)
            scheduler.whenRunning(life) { [self] in
                if scheduler.isLeading {
                    scheduler.post(.changeRequested(ticket, question.request))
                } else {
                    // What the real process answers before it asks the dispatcher.
                    world.after(latency()) { [self] in follow(ticket, to: scheduler.leaderAddress) }
                }
            }
            // The client hangs up; what it asked for is done all the same.
            let patience = world.random.happens(0.05) ? Int64.random(in: 100...4_000, using: &world.random) : 10_000_000
            world.after(patience) { [self] in
                guard waiting[ticket] != nil else { return }
                if scheduler.life == life { scheduler.post(.ticketAbandoned(ticket)) }
                lose(ticket)
            }
        }
    }

    private func latency() -> Int64 { Int64.random(in: 50...2_000, using: &world.random) }

    /// Nothing was done there: the leader is asked, if it is known, or else anybody a moment later.
    private func follow(_ ticket: Ticket, to address: String?) {
        guard let question = waiting.removeValue(forKey: ticket)?.question else { return }
        guard let leader = world.schedulers.first(where: { $0.address == address }), leader !== believed else {
            return askAnother(question)
        }
        world.count("client followed NOT_LEADER")
        believed = leader
        ask(question, at: leader)
    }

    private func askAnother(_ question: Question) {
        guard world.time < question.until else {
            world.count("client gave up")
            return question.answer(nil)
        }
        world.count("client waited for a leader")
        world.after(Int64.random(in: 50_000...200_000, using: &world.random)) { [self] in
            believed = world.schedulers.randomElement(using: &world.random) ?? believed
            ask(question, at: believed)
        }
    }

    private func lose(_ ticket: Ticket) {
        waiting.removeValue(forKey: ticket)?.question.answer(nil)
    }

    func schedulerEnded(_ scheduler: SchedulerProcess) {
        for ticket in waiting.filter({ $0.value.scheduler == scheduler.index }).keys.sorted() { lose(ticket) }
    }

    func answered(_ ticket: Ticket, _ result: ChangeResult, by scheduler: SchedulerProcess) {
        world.oracle.answered(result)
        guard let question = waiting[ticket]?.question else { return }
        switch result {
        case .refused(let error) where error.code == .notLeader:
            return follow(ticket, to: scheduler.leaderAddress)
        case .stale:
            guard let id = question.request.jobID else { break }
            world.count("client found another version")
            scheduler.settle(id)
        default: break
        }
        waiting[ticket] = nil
        question.answer(result)
    }

    // MARK: What they ask

    private func create() {
        let key = "create-\(nextName)"
        let isTaken = world.random.happens(0.1) && nextName > 2
        let name = isTaken ? "job-\(Int.random(in: 1..<nextName, using: &world.random))" : "job-\(nextName)"
        nextName += 1
        unfinished += 1
        create(key, job(name: name, tag: key))
    }

    private func create(_ key: String, _ job: Job) {
        let again: () -> Void = { [self] in
            world.after(300_000) { [self] in
                guard !isPausing else {
                    unfinished -= 1
                    return
                }
                create(key, job)
            }
        }
        guard store.keys["create_job:\(key)"] == nil else {
            created.append(key)
            unfinished -= 1
            return
        }
        var made = job
        made.id = JobID(UniqueID.ordered(by: world.trueTime, using: &world.random))
        let record = IdempotencyRecord(
            operation: "create_job",
            key: key,
            fingerprint: "",
            answer: made.id.uuid,
            expiresAt: .distantFuture
        )
        ask(.create(world.plans.planned(made), record)) { [self] result in
            switch result {
            case .job:
                created.append(key)
                unfinished -= 1
            case .refused(let error) where error.code == .alreadyExists:
                world.count("name taken")
                unfinished -= 1
            default:
                again()
            }
        }
    }

    func job(name: String, tag: String) -> Job {
        let zero = Timestamp(milliseconds: 0)
        var job = Job(
            id: JobID(.zero),
            name: name,
            schedule: "",
            call: HTTPCall(url: "http://target/\(name)"),
            executionType: world.random.happens(0.35) ? .atMostOnce : .atLeastOnce,
            timeoutMs: Int.random(in: 300...3_000, using: &world.random),
            maxRetries: Int.random(in: 0...3, using: &world.random),
            retryInitialDelayMs: Int.random(in: 0...1_500, using: &world.random),
            retryMaxDelayMs: 4_000,
            catchUpPolicy: CatchUpPolicy.allCases.randomElement(using: &world.random) ?? .latest,
            catchUpWindowMs: [0, 2_000, 6_000, 60_000].randomElement(using: &world.random) ?? 60_000,
            overlapPolicy: world.random.happens(0.5) ? .skip : .allow,
            priority: Int.random(in: 0...2, using: &world.random),
            tags: [tag],
            effectiveFrom: zero,
            createdAt: zero,
            updatedAt: zero
        )
        ScheduleMaker(world: world).reschedule(&job)
        if world.random.happens(0.3) { ScheduleMaker(world: world).bound(&job) }
        return job
    }

    private func change() {
        let jobs = livingJobs
        guard var job = jobs.randomElement(using: &world.random) else { return create() }
        job.version += 1
        let what = Int.random(in: 0..<15, using: &world.random)
        switch what {
        case 0, 1:
            reschedule(&job)
            ask(.update(world.plans.planned(job), scheduleChanged: true)) { [self] _ in world.count("client updated") }
        case 2:
            job.priority += 1
            if world.random.happens(0.5), let other = jobs.randomElement(using: &world.random) { job.name = other.name }
            ask(.update(world.plans.planned(job), scheduleChanged: false)) { [self] _ in world.count("client updated") }
        case 3:
            // A new schedule under a name that is taken: refused as a whole.
            reschedule(&job)
            if let other = jobs.randomElement(using: &world.random) { job.name = other.name }
            ask(.update(world.plans.planned(job), scheduleChanged: true)) { [self] _ in world.count("client updated") }
        case 13:
            job.executionType = job.executionType == .atMostOnce ? .atLeastOnce : .atMostOnce
            ask(.update(world.plans.planned(job), scheduleChanged: false)) { [self] _ in
                world.count("client changed the execution type")
            }
        case 4, 5:
            guard job.active else { return resume(job) }
            ended.insert(job.id)
            ask(.pause(job)) { [self] _ in world.count("client paused") }
        case 6:
            resume(job)
        case 7:
            guard jobs.count > 1 else { return }
            ended.insert(job.id)
            ask(.delete(job)) { [self] _ in world.count("client deleted") }
        case 8, 9:
            let nonce = UniqueID.random(using: &world.random)
            ask(.run(job, nil, nonce: nonce)) { [self] _ in world.count("client ran a job") }
        case 10:
            cancelOne()
        case 11:
            world.schedulers.first(where: \.isLeading)?.refresh()
        default:
            if world.random.happens(0.5) { return create() }
            executeNow()
        }
    }

    private func reschedule(_ job: inout Job) {
        if world.random.happens(0.6) { ScheduleMaker(world: world).reschedule(&job) }
        if world.random.happens(0.5) { ScheduleMaker(world: world).bound(&job) }
    }

    private func resume(_ job: Job) {
        guard !job.active else { return }
        ask(.resume(world.plans.planned(job))) { [self] _ in world.count("client resumed") }
    }

    private func cancelOne() {
        let open = store.executions.values.filter { !$0.status.isFinal }.sorted { $0.id < $1.id }
        guard let execution = open.randomElement(using: &world.random) else { return }
        cancelled.insert(execution.id)
        ask(.cancel(execution.jobID, execution.id)) { [self] _ in world.count("client cancelled") }
    }

    private func executeNow() {
        var hidden = job(name: "", tag: "hidden")
        hidden.name = nil
        hidden.id = JobID(UniqueID.ordered(by: world.trueTime, using: &world.random))
        let isWaiting = world.random.happens(0.5)
        let request = ChangeRequest.executeNow(
            world.plans.planned(hidden),
            wait: isWaiting,
            nonce: UniqueID.random(using: &world.random)
        )
        ask(request) { [self] _ in world.count(isWaiting ? "client waited for a call" : "client called") }
    }

    /// The end: every job is paused, however often that has to be asked.
    func pauseAll() {
        isPausing = true
        for var job in livingJobs where job.active {
            job.version += 1
            ended.insert(job.id)
            ask(.pause(job)) { _ in }
        }
        world.after(700_000) { [self] in
            if !areDone { pauseAll() }
        }
    }
}

extension ChangeRequest {
    /// The job that it is about, if there is one already.
    fileprivate var jobID: JobID? {
        switch self {
        case .update(let planned, _), .resume(let planned): planned.job.id
        case .delete(let job), .pause(let job), .run(let job, _, _): job.id
        case .create, .cancel, .executeNow: nil
        }
    }

    /// For whoever reads a trace.
    var summary: (kind: String, job: Job?) {
        switch self {
        case .create(let planned, _): ("create", planned.job)
        case .update(let planned, _): ("update", planned.job)
        case .delete(let job): ("delete", job)
        case .pause(let job): ("pause", job)
        case .resume(let planned): ("resume", planned.job)
        case .run(let job, _, _): ("run", job)
        case .cancel: ("cancel", nil)
        case .executeNow: ("call", nil)
        }
    }
}
