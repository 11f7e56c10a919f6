import CarillonCore
import CarillonWire
import TestSupport

/// What the process around the dispatcher makes of requests: it reads what there is, has the dispatcher change it, and
/// answers (`RequestDesk` of the real process, without its threads).
final class Desk {
    private typealias Done = (Result<Answer, ClientError>) -> Void

    private unowned let world: World
    private unowned let scheduler: SchedulerProcess
    private var waiting: [Ticket: (ChangeResult) -> Void] = [:]
    private var nextTicket: Ticket = 1
    /// Idempotency keys of requests that are being done.
    private var keysInUse: Set<String> = []
    private static let patience = 50

    init(world: World, scheduler: SchedulerProcess) {
        self.world = world
        self.scheduler = scheduler
    }

    func processEnded() {
        waiting = [:]
        keysInUse = []
    }

    func handle(_ request: Request, id: UInt64, over link: Link) {
        let life = scheduler.life
        answer(request) { [self] result in
            guard scheduler.life == life else { return }
            let message: Message =
                switch result {
                case .success(let answer): .answer(answer)
                case .failure(let error): .error(error)
                }
            link.send(Envelope(id: id, message), from: .scheduler)
        }
    }

    /// What the dispatcher says of a change.
    func answered(_ ticket: Ticket, _ result: ChangeResult) {
        world.oracle.answered(result)
        waiting.removeValue(forKey: ticket)?(result)
    }

    private func change(_ request: ChangeRequest, _ then: @escaping (ChangeResult) -> Void) {
        let ticket = nextTicket
        nextTicket += 1
        waiting[ticket] = then
        scheduler.post(.changeRequested(ticket, request))
    }

    private var notLeading: ClientError? {
        scheduler.leads ? nil : ClientError(.notLeader, "stands by", leaderAddress: scheduler.leaderAddress)
    }

    private var unavailable: ClientError { ClientError(.unavailable, "the database did not answer") }

    private func answer(_ request: Request, _ done: @escaping Done) {
        if let error = notLeading { return done(.failure(error)) }
        switch request {
        case .createJob(let settings, let key, _): create(settings, key, done)
        case .updateJob(let id, let settings, let version):
            changing(id, ifVersion: version, done) { [world] job throws(ClientError) in
                let (planned, restarts) = try world.rules.change(job, by: settings)
                return .update(planned, scheduleChanged: restarts)
            }
        case .deleteJob(let id, let version): changing(id, ifVersion: version, done) { .delete($0.next) }
        case .pauseJob(let id): setActive(id, false, done)
        case .resumeJob(let id): setActive(id, true, done)
        case .runJob(let id, let key, _): run(id, key, done)
        case .cancelExecution(let job, let id): cancel(id, of: job, done)
        case .executeNow(let settings, let wait): executeNow(settings, wait, done)
        case .refreshSchedule:
            scheduler.refresh()
            done(.success(.scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: 0)))
        default: done(.failure(ClientError(.unimplemented, "nobody asks \(request.name) here")))
        }
    }

    private func view(_ job: Job) -> Answer {
        .job(JobView(job: job, scheduleDescription: job.schedule, nextRunTime: nil))
    }

    // MARK: Jobs

    private func create(_ settings: JobSettings, _ key: String?, _ done: @escaping Done) {
        let id = JobID(UniqueID.ordered(by: scheduler.clusterTime, using: &world.random))
        let planned: PlannedJob
        do throws(ClientError) {
            planned = try world.rules.make(settings, id: id)
        } catch {
            return done(.failure(error))
        }
        once("create_job", key, answer: id.uuid, done) { [self] record, done in
            change(.create(planned, record)) { [self] in finish($0, done) }
        } again: { [self] answer, done in
            read(JobID(answer), done) { [self] job in done(.success(view(job))) }
        }
    }

    private func setActive(_ id: JobID, _ isActive: Bool, _ done: @escaping Done) {
        read(id, done) { [self] job in
            if job.active == isActive { return done(.success(view(job))) }
            changing(id, ifVersion: [], done) { [world] job in
                isActive ? .resume(world.plans.planned(job.next)) : .pause(job.next)
            }
        }
    }

    /// Reads a job, makes a change of it, and does so again when somebody else was quicker.
    private func changing(
        _ id: JobID,
        ifVersion: [Int64],
        attempt: Int = 0,
        _ done: @escaping Done,
        _ make: @escaping (Job) throws(ClientError) -> ChangeRequest
    ) {
        if let error = notLeading { return done(.failure(error)) }
        read(id, done) { [self] job in
            if !ifVersion.isEmpty, !ifVersion.contains(job.version) {
                world.count("client changed what another one had changed")
                return done(.failure(ClientError(.failedPrecondition, "another version", reason: .versionMismatch)))
            }
            let request: ChangeRequest
            do throws(ClientError) {
                request = try make(job)
            } catch {
                return done(.failure(error))
            }
            change(request) { [self] result in
                settle(result, job, attempt, done) { [self] in
                    changing(id, ifVersion: ifVersion, attempt: attempt + 1, done, make)
                }
            }
        }
    }

    /// The row is not what the dispatcher has in memory: it is told of what was read, and the change is made anew.
    private func settle(
        _ result: ChangeResult,
        _ job: Job,
        _ attempt: Int,
        _ done: @escaping Done,
        again: @escaping () -> Void
    ) {
        guard case .stale = result else { return finish(result, done) }
        world.count("client found another version")
        guard attempt + 1 < Self.patience else {
            return done(.failure(ClientError(.unavailable, "the job is being changed by others all the time")))
        }
        scheduler.post(.jobsRefreshed([world.plans.planned(job)]))
        let life = scheduler.life
        world.after(Int64(2 + attempt) * 1_000) { [scheduler] in scheduler.whenRunning(life, again) }
    }

    private func run(_ id: JobID, _ key: String?, _ done: @escaping Done) {
        once("run_job", key, answer: .zero, done) { [self] record, done in
            run(id, record, 0, done)
        } again: { [self] answer, done in
            find(ExecutionID(answer), done)
        }
    }

    private func run(_ id: JobID, _ record: IdempotencyRecord?, _ attempt: Int, _ done: @escaping Done) {
        read(id, done) { [self] job in
            change(.run(job, record, nonce: UniqueID.random(using: &world.random))) { [self] result in
                settle(result, job, attempt, done) { [self] in run(id, record, attempt + 1, done) }
            }
        }
    }

    private func cancel(_ id: ExecutionID, of job: JobID, _ done: @escaping Done) {
        change(.cancel(job, id)) { [self] result in
            guard case .notOpen = result else { return finish(result, done) }
            find(id) { result in
                guard case .success = result else { return done(result) }
                done(.failure(ClientError(.failedPrecondition, "it is over", reason: .alreadyFinished)))
            }
        }
    }

    private func executeNow(_ settings: JobSettings, _ wait: Bool, _ done: @escaping Done) {
        let id = JobID(UniqueID.ordered(by: scheduler.clusterTime, using: &world.random))
        let planned: PlannedJob
        do throws(ClientError) {
            planned = try world.rules.makeHidden(settings, id: id)
        } catch {
            return done(.failure(error))
        }
        let nonce = UniqueID.random(using: &world.random)
        change(.executeNow(planned, wait: wait, nonce: nonce)) { [self] in finish($0, done) }
    }

    private func finish(_ result: ChangeResult, _ done: Done) {
        switch result {
        case .job(let job): done(.success(view(job)))
        case .deleted(let id): done(.success(.deleted(id)))
        case .execution(let execution): done(.success(.execution(execution, failedAttempts: [], url: nil)))
        case .refused(let error): done(.failure(error))
        case .stale, .notOpen: done(.failure(ClientError(.internal, "an answer that does not fit")))
        }
    }

    // MARK: What there is

    private func read(_ id: JobID, _ done: @escaping Done, _ then: @escaping (Job) -> Void) {
        world.database.query(scheduler, { $0.jobs[id] }) { [self] found in
            guard let found else { return done(.failure(unavailable)) }
            guard let job = found, job.deletedAt == nil, !job.hidden else {
                return done(.failure(ClientError(.notFound, "there is no job \(id)")))
            }
            then(job)
        }
    }

    private func find(_ id: ExecutionID, _ done: @escaping Done) {
        world.database.query(scheduler, { $0.executions[id] }) { [self] found in
            guard let found else { return done(.failure(unavailable)) }
            guard let row = found else { return done(.failure(ClientError(.notFound, "there is no \(id)"))) }
            done(.success(.execution(row, failedAttempts: [], url: nil)))
        }
    }

    /// Does a request at most once for each idempotency key; a repeated one gets the answer of the first.
    private func once(
        _ operation: String,
        _ key: String?,
        answer: UniqueID,
        _ done: @escaping Done,
        do first: @escaping (IdempotencyRecord?, @escaping Done) -> Void,
        again: @escaping (UniqueID, @escaping Done) -> Void
    ) {
        guard let key else { return first(nil, done) }
        let name = "\(operation):\(key)"
        guard keysInUse.insert(name).inserted else {
            let error = ClientError(.unavailable, "is being done", retryable: true, reason: .idempotencyKeyInUse)
            return done(.failure(error))
        }
        let release: Done = { [self] result in
            keysInUse.remove(name)
            done(result)
        }
        world.database.query(scheduler, { $0.keys[name] }) { [self] found in
            guard let found else { return release(.failure(unavailable)) }
            if let record = found {
                world.count("client asked twice with one key")
                return again(record.answer, release)
            }
            let record = IdempotencyRecord(
                operation: operation,
                key: key,
                fingerprint: "",
                answer: answer,
                expiresAt: scheduler.clusterTime + 86_400_000
            )
            first(record, release)
        }
    }
}

extension Job {
    /// The same with the next version.
    fileprivate var next: Job {
        var job = self
        job.version += 1
        return job
    }
}
