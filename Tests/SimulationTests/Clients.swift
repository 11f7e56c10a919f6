import CarillonCore
import CarillonWire
import TestSupport

/// Clients that create, change, run and cancel at random, and remember the responses.
final class Clients {
    unowned let world: World
    private var nextName = 1
    private var isPausing = false
    /// Requests without a response.
    private var unanswered = 0
    /// The scheduler that the clients assume to be the leader.
    private lazy var believed = world.schedulers[0]
    /// Creates without a response.
    private var unfinished = 0
    /// Executions with a cancel request.
    private(set) var cancelled: Set<ExecutionID> = []
    /// Jobs with a pause or delete request: their retries may end at any time.
    var ended: Set<JobID> = []
    /// The latest version of each job in the response to a change.
    var answeredVersions: [JobID: Int64] = [:]
    /// Idempotency keys of answered creates.
    var created: [String] = []

    init(world: World) {
        self.world = world
    }

    var store: MemoryStore { world.database.store }

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

    // MARK: Requests

    /// A request on its way to the leader.
    private struct Question {
        var request: Request
        var answer: (ClientProcess.Reply) -> Void
        /// How long to wait for a take-over.
        var until: Int64
    }

    /// Sends a request and follows it to the leader. The result is `notSent` if there is no leader for long, and `lost`
    /// if the outcome is unknown.
    func ask(_ request: Request, _ answer: @escaping (ClientProcess.Reply) -> Void) {
        unanswered += 1
        let question = Question(
            request: request,
            answer: { [self] reply in
                unanswered -= 1
                answer(reply)
            },
            until: world.time + 8_000_000
        )
        ask(question, of: believed)
    }

    private func ask(_ question: Question, of scheduler: SchedulerProcess) {
        let id = world.client.ask(question.request, of: scheduler) { [self] reply in
            switch reply {
            // The scheduler refused the request. Ask the leader if it is known, otherwise any scheduler a moment later.
            case .error(let error) where error.code == .notLeader: follow(question, to: error.leaderAddress)
            case .notSent: askAnother(question)
            case .error(let error) where error.code == .unavailable:
                world.count("client was told to ask again")
                question.answer(reply)
            case .answer, .error, .lost: question.answer(reply)
            }
        }
        // The client closes the connection; the request is still executed.
        let patience = world.random.happens(0.05) ? Int64.random(in: 100...4_000, using: &world.random) : 10_000_000
        world.after(patience) { [world] in
            guard world.client.forget(id) else { return }
            world.count("client hung up")
            question.answer(.lost)
        }
    }

    private func follow(_ question: Question, to address: String?) {
        guard let leader = world.schedulers.first(where: { $0.address == address }), leader !== believed else {
            return askAnother(question)
        }
        world.count("client followed NOT_LEADER")
        believed = leader
        ask(question, of: leader)
    }

    private func askAnother(_ question: Question) {
        guard world.time < question.until else {
            world.count("client gave up")
            return question.answer(.notSent)
        }
        world.count("client waited for a leader")
        world.after(Int64.random(in: 50_000...200_000, using: &world.random)) { [self] in
            believed = world.schedulers.randomElement(using: &world.random) ?? believed
            ask(question, of: believed)
        }
    }

    /// Sends a request that may be refused because of another client's change, and for no other reason.
    private func tell(_ request: Request, _ what: String) {
        let losses = losses
        ask(request) { [self] reply in
            if case .answer(.job(let view)) = reply, losses == self.losses {
                answeredVersions[view.job.id] = max(answeredVersions[view.job.id] ?? 0, view.job.version)
            }
            guard case .error(let error) = reply else { return world.count(what) }
            world.count("client was refused: \(error.code.rawValue)")
            let isExpected =
                switch error.code {
                case .notFound, .alreadyExists, .failedPrecondition, .unavailable, .notLeader: true
                case .resourceExhausted: world.options.isNarrow
                // Another client gave the job an end before its new start.
                case .invalidArgument: request.setsBounds
                case .unauthenticated, .permissionDenied, .unimplemented, .internal: false
                }
            world.oracle.require(isExpected, "G9: \(request.name) was refused: \(error.text)")
        }
    }

    // MARK: Kinds of requests

    private func create() {
        let key = "create-\(nextName)"
        let isTaken = world.random.happens(0.1) && nextName > 2
        let name = isTaken ? "job-\(Int.random(in: 1..<nextName, using: &world.random))" : "job-\(nextName)"
        nextName += 1
        unfinished += 1
        create(key, JobSettings(job(name: name, tag: key)))
    }

    /// Repeats the create until its result is known.
    private func create(_ key: String, _ settings: JobSettings) {
        let losses = losses
        ask(.createJob(settings, idempotencyKey: key, fingerprint: nil)) { [self] reply in
            switch reply {
            case .answer(.job(let view)):
                let isIt = view.job.tags == settings.tags && view.job.version > 0
                world.oracle.require(isIt, "the wire: \(key) was answered with \(view.job.tags)")
                if losses == self.losses { created.append(key) }
                unfinished -= 1
            case .error(let error) where error.code == .alreadyExists:
                world.count("name taken")
                unfinished -= 1
            case .error(let error) where error.code == .invalidArgument:
                world.oracle.require(false, "G9: \(key) was refused: \(error.text)")
            // The job may have been deleted already.
            case .error(let error) where error.code == .notFound:
                if losses == self.losses { created.append(key) }
                unfinished -= 1
            default:
                world.after(300_000) { [self] in
                    guard !isPausing else {
                        unfinished -= 1
                        return
                    }
                    create(key, settings)
                }
            }
        }
    }

    func job(name: String, tag: String) -> Job {
        let zero = Timestamp(milliseconds: 0)
        let policies = CatchUpPolicy.allCases.filter { $0 != .all || world.options.stepsOfHours == 0 }
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
            catchUpPolicy: policies.randomElement(using: &world.random) ?? .latest,
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
        if world.options.startDeadlines > 0 { setStartDeadline(&job) }
        return job
    }

    private func setStartDeadline(_ job: inout Job) {
        guard world.random.happens(world.options.startDeadlines) else { return }
        job.limits.startDeadlineMs = [500, 2_000, 5_000].randomElement(using: &world.random) ?? 0
    }

    private func change() {
        let jobs = livingJobs
        guard let old = jobs.randomElement(using: &world.random) else { return create() }
        if world.random.happens(world.options.quarrels) { disagree(on: old, among: jobs) }
        change(old, among: jobs)
    }

    /// Changes a job to a name that is taken. Another client may change the job before the refusal.
    private func disagree(on old: Job, among jobs: [Job]) {
        let others = jobs.filter { $0.id != old.id && $0.name != nil }
        guard let other = others.randomElement(using: &world.random) else { return }
        var job = old
        job.name = other.name
        reschedule(&job)
        world.count("clients disagreed")
        update(old, to: job)
    }

    private func change(_ old: Job, among jobs: [Job]) {
        var job = old
        let what = Int.random(in: 0..<16, using: &world.random)
        switch what {
        case 0, 1:
            reschedule(&job)
            update(old, to: job)
        case 2:
            job.priority += 1
            if world.options.startDeadlines > 0 {
                job.limits.startDeadlineMs = 0
                setStartDeadline(&job)
            }
            if world.random.happens(0.5), let other = jobs.randomElement(using: &world.random) { job.name = other.name }
            update(old, to: job)
        case 3:
            // A new schedule with a name that is taken: the whole change is refused.
            reschedule(&job)
            if let other = jobs.randomElement(using: &world.random) { job.name = other.name }
            update(old, to: job)
        case 13:
            job.executionType = job.executionType == .atMostOnce ? .atLeastOnce : .atMostOnce
            update(old, to: job, "client changed the execution type")
        case 4, 5:
            guard job.active else { return tell(.resumeJob(job.id), "client resumed") }
            ended.insert(job.id)
            tell(.pauseJob(job.id), "client paused")
        case 6:
            if !job.active { tell(.resumeJob(job.id), "client resumed") }
        case 7:
            guard jobs.count > 1 else { return }
            ended.insert(job.id)
            tell(.deleteJob(job.id, ifVersion: version(of: job)), "client deleted")
        case 8, 9:
            guard world.random.happens(0.5) else {
                return tell(.runJob(job.id, idempotencyKey: nil, fingerprint: nil), "client ran a job")
            }
            run(job.id, key: "run-\(world.time)")
        case 10:
            cancelOne()
        case 15:
            look(at: job)
        case 11:
            tell(.refreshSchedule, "client refreshed the schedule")
        default:
            if world.random.happens(0.5) { return create() }
            executeNow()
        }
    }

    private func update(_ old: Job, to new: Job, _ what: String = "client updated") {
        world.oracle.hasStartDeadline(new)
        tell(.updateJob(old.id, JobSettings(from: old, to: new), ifVersion: version(of: old)), what)
    }

    /// Some clients give the expected version.
    private func version(of job: Job) -> [Int64] { world.random.happens(0.2) ? [job.version] : [] }

    private func reschedule(_ job: inout Job) {
        if world.random.happens(0.6) { ScheduleMaker(world: world).reschedule(&job) }
        if world.random.happens(0.5) { ScheduleMaker(world: world).bound(&job) }
    }

    private func cancelOne() {
        let open = store.executions.values.filter { !$0.status.isFinal }.sorted { $0.id < $1.id }
        guard let execution = open.randomElement(using: &world.random) else { return }
        cancelled.insert(execution.id)
        tell(.cancelExecution(execution.jobID, execution.id), "client cancelled")
    }

    private func executeNow() {
        var settings = JobSettings(job(name: "hidden", tag: "hidden"))
        (settings.name, settings.schedule) = (nil, nil)
        let isWaiting = world.random.happens(0.5)
        tell(.executeNow(settings, wait: isWaiting), isWaiting ? "client waited for a call" : "client called")
    }

    /// At the end every job is paused, with as many requests as needed.
    func pauseAll() {
        isPausing = true
        for job in livingJobs where job.active {
            ended.insert(job.id)
            ask(.pauseJob(job.id)) { _ in }
        }
        world.after(700_000) { [self] in
            if !areDone { pauseAll() }
        }
    }
}

extension JobSettings {
    /// All settings that a client can set.
    fileprivate init(_ job: Job) {
        self.init()
        (schedule, timeZone, daylightPolicy) = (job.schedule, job.timeZone, job.daylightPolicy)
        (url, name, executionType) = (job.call.url, job.name, job.executionType)
        (timeoutSeconds, maxRetries) = (Double(job.timeoutMs) / 1_000, job.maxRetries)
        retryInitialDelaySeconds = Double(job.retryInitialDelayMs) / 1_000
        retryMaxDelaySeconds = Double(job.retryMaxDelayMs) / 1_000
        (catchUpPolicy, catchUpWindowSeconds) = (job.catchUpPolicy, Double(job.catchUpWindowMs) / 1_000)
        (overlapPolicy, priority, tags) = (job.overlapPolicy, job.priority, job.tags)
        (startsAt, endsAt) = (job.startsAt, job.endsAt)
        self[.startDeadline] = JobField.startDeadline.value(of: job)
    }

    /// The settings that differ.
    fileprivate init(from old: Job, to new: Job) {
        self.init()
        if new.schedule != old.schedule { schedule = new.schedule }
        if new.timeZone != old.timeZone { timeZone = new.timeZone }
        if new.daylightPolicy != old.daylightPolicy { daylightPolicy = new.daylightPolicy }
        if new.name != old.name { name = new.name }
        if new.executionType != old.executionType { executionType = new.executionType }
        if new.priority != old.priority { priority = new.priority }
        if new.limits.startDeadlineMs != old.limits.startDeadlineMs {
            self[.startDeadline] = JobField.startDeadline.value(of: new)
        }
        if new.startsAt != old.startsAt {
            startsAt = new.startsAt
            if startsAt == nil { cleared.insert("starts_at") }
        }
        if new.endsAt != old.endsAt {
            endsAt = new.endsAt
            if endsAt == nil { cleared.insert("ends_at") }
        }
    }
}

extension Request {
    fileprivate var setsBounds: Bool {
        if case .updateJob(_, let settings, _) = self {
            settings.startsAt != nil || settings.endsAt != nil
        } else {
            false
        }
    }
}

extension ChangeRequest {
    /// A short form for traces.
    var summary: (kind: String, job: Job?) {
        switch self {
        case .create(let planned, _): ("create", planned.job)
        case .update(let planned, _): ("update", planned.job)
        case .delete(let job): ("delete", job)
        case .pause(let job): ("pause", job)
        case .resume(let planned): ("resume", planned.job)
        case .run: ("run", nil)
        case .cancel: ("cancel", nil)
        case .executeNow: ("call", nil)
        }
    }
}
