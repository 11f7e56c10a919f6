internal import CarillonCore
internal import CarillonCron
internal import CarillonRuntime
internal import CarillonWire
internal import Logging
internal import Synchronization

/// Answers clients: reads from the database, by any scheduler; changes through the dispatcher, by the leader only.
final class RequestDesk: Sendable {
    let configuration: SchedulerConfiguration
    let store: any JobStore
    let reader: any HistoryReader
    let catalog: PlanCatalog
    let rules: JobRules
    let tickets: Tickets
    let watchers: Watchers
    let peers: Peers
    let status: StatusBoard
    let zones: any ZoneSource
    let refresher: Refresher
    let pump: Pump<Event>
    let logger: Logger
    let startedAt = SystemClock.now().wall
    /// Idempotency keys of requests that are being done.
    let keysInUse = Mutex<Set<String>>([])
    /// What the database does most of the work for. Far more than it has sessions for: nobody who is alone waits in vain.
    private let historyTurns = QueryTurns(share: 64)
    /// What is answered with a job, whose body may have 1 MiB. Jobs are read together, many in one query.
    private let jobTurns = QueryTurns(share: 64)
    /// What changes a job and is answered with it: many changes are one commit.
    private let changeTurns = QueryTurns(share: 128)

    init(
        configuration: SchedulerConfiguration,
        store: any JobStore,
        reader: any HistoryReader,
        catalog: PlanCatalog,
        rules: JobRules,
        tickets: Tickets,
        watchers: Watchers,
        peers: Peers,
        status: StatusBoard,
        zones: any ZoneSource,
        refresher: Refresher,
        pump: Pump<Event>,
        logger: Logger
    ) {
        self.configuration = configuration
        self.store = store
        self.reader = reader
        self.catalog = catalog
        self.rules = rules
        self.tickets = tickets
        self.watchers = watchers
        self.peers = peers
        self.status = status
        self.zones = zones
        self.refresher = refresher
        self.pump = pump
        self.logger = logger
    }

    /// Does a request and sends its answer, in its own time.
    func handle(_ request: Request, id: UInt64, from peer: AcceptedPeer) {
        switch request {
        case .watchExecutions(let job):
            if let error = notLeading() {
                peer.link.send([Envelope(id: id, .error(error))])
            } else {
                watchers.add(peer.link, connection: peer.id, envelope: id, job: job)
                if let job { Task { await endWatch(id, of: job, for: peer) } }
            }
        case .stopWatching:
            watchers.remove(connection: peer.id, envelope: id)
        default:
            Task {
                guard let turns = turns(for: request) else { return await reply(to: request, id, peer) }
                // Nobody waits for the answer to what an ended connection asked: it is not done.
                try? await turns.take(peer.id) { () async throws(ClientError) in await reply(to: request, id, peer) }
            }
        }
    }

    /// Ends a watch of a job that never was: it would wait for ever. One that is deleted may still have a call that runs.
    private func endWatch(_ id: UInt64, of job: JobID, for peer: AcceptedPeer) async {
        try? await jobTurns.take(peer.id) { () async throws(ClientError) in
            do throws(ClientError) {
                try await requireEverExisted(job)
            } catch {
                // Without the database nobody knows, and the watch stays.
                guard error.code == .notFound, watchers.remove(connection: peer.id, envelope: id) else { return }
                peer.link.send([Envelope(id: id, .error(error))])
            }
        }
    }

    /// Its turn ends when the answer is on its way, and not before: who makes answers faster than they can be sent would fill
    /// the memory with them.
    private func reply(to request: Request, _ id: UInt64, _ peer: AcceptedPeer) async {
        let message: Message
        do throws(ClientError) {
            message = .answer(try await answer(request))
        } catch {
            message = .error(error)
        }
        await peer.link.deliver([Envelope(id: id, message)])
    }

    /// Whose turn it must be; `nil` for what is answered in few bytes.
    private func turns(for request: Request) -> QueryTurns? {
        switch request {
        case .listJobs, .listExecutions, .getExecution, .getLatestExecution, .getExecutionStats: historyTurns
        case .getJob, .previewSchedule: jobTurns
        case .createJob, .updateJob, .pauseJob, .resumeJob, .runJob: changeTurns
        case .deleteJob, .cancelExecution, .executeNow, .refreshSchedule, .getCluster, .watchExecutions, .stopWatching:
            nil
        }
    }

    private var allTurns: [QueryTurns] { [historyTurns, jobTurns, changeTurns] }

    /// A client has connected.
    func open(_ connection: ConnectionID) {
        for turns in allTurns { turns.open(connection) }
    }

    /// A client takes too few of its answers: its requests wait until it has.
    func hold(_ connection: ConnectionID, _ isHeld: Bool) {
        for turns in allTurns { turns.hold(connection, isHeld) }
    }

    /// The connection has ended.
    func forget(_ connection: ConnectionID) {
        for turns in allTurns { turns.forget(connection) }
    }

    private func answer(_ request: Request) async throws(ClientError) -> Answer {
        switch request {
        case .createJob(let settings, let key, let fingerprint):
            try await create(settings, key: key, fingerprint: fingerprint)
        case .getJob(let id):
            .job(view(try await job(id)))
        case .listJobs(let list):
            try await listJobs(list)
        case .updateJob(let id, let settings, let version):
            try await update(id, settings, ifVersion: version)
        case .deleteJob(let id, let version):
            try await delete(id, ifVersion: version)
        case .pauseJob(let id):
            try await setActive(id, false)
        case .resumeJob(let id):
            try await setActive(id, true)
        case .runJob(let id, let key, let fingerprint):
            try await run(id, key: key, fingerprint: fingerprint)
        case .listExecutions(let list):
            try await listExecutions(list)
        case .getExecution(let job, let id):
            try await execution(id, of: job)
        case .getLatestExecution(let id):
            try await latestExecution(of: id)
        case .getExecutionStats(let id, let from, let to):
            try await stats(of: id, from: from, to: to)
        case .cancelExecution(let job, let id):
            try await cancel(id, of: job)
        case .executeNow(let settings, let wait):
            try await executeNow(settings, wait: wait)
        case .refreshSchedule:
            try await refresh()
        case .previewSchedule(let preview):
            try self.preview(preview)
        case .getCluster:
            await cluster()
        case .watchExecutions, .stopWatching:
            throw ClientError(.internal, "a watch has no single answer")
        }
    }

    // MARK: What all of them need

    /// The error that tells a client where to go instead; `nil` on the leader.
    func notLeading() -> ClientError? {
        let current = status.current
        guard !current.isLeading else { return nil }
        if let leader = current.leaderAddress, leader != status.ownAddress {
            return ClientError(.notLeader, "this scheduler stands by; \(leader) leads", leaderAddress: leader)
        }
        return ClientError(
            .notLeader,
            "no scheduler leads at the moment (a take-over, or the database cannot be reached); try again in a second"
        )
    }

    func requireLeading() throws(ClientError) {
        if let error = notLeading() { throw error }
    }

    func change(_ request: ChangeRequest) async throws(ClientError) -> ChangeResult {
        let result = await tickets.wait { pump.post(.changeRequested($0, request)) }
        if case .refused(let error) = result { throw error }
        return result
    }

    func job(_ id: JobID) async throws(ClientError) -> Job {
        guard let job = try await find(id), job.deletedAt == nil, !job.hidden else { throw noSuchJob(id) }
        return job
    }

    func find(_ id: JobID) async throws(ClientError) -> Job? {
        do throws(ReadError) {
            return try await reader.job(id, includingDeleted: true)
        } catch {
            throw unavailable(error)
        }
    }

    func noSuchJob(_ id: JobID) -> ClientError {
        ClientError(.notFound, "there is no job \(id); it may have been deleted")
    }

    func unavailable(_ error: ReadError) -> ClientError {
        ClientError(.unavailable, "the database could not answer: \(error.message)")
    }

    func view(_ job: Job) -> JobView {
        switch catalog.plan(job.schedule, job.timeZone, job.daylightPolicy) {
        case .success(let plan):
            let next = job.active && job.deletedAt == nil ? plan.next(after: status.clusterTime(), for: job) : nil
            return JobView(job: job, scheduleDescription: plan.expression.explained(), nextRunTime: next)
        case .failure(let failure):
            let why = failure.errors.map { "\($0.field): \($0.message)" }.joined(separator: "; ")
            return JobView(job: job, scheduleDescription: "Never: \(why)", nextRunTime: nil)
        }
    }

    func newID() -> JobID {
        // In a box: the thread sanitizer looks at what is passed inout, and an empty value has no address.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        return JobID(UniqueID.ordered(by: status.clusterTime(), using: &random))
    }

    func newNonce() -> UniqueID {
        // In a box: the thread sanitizer looks at what is passed inout, and an empty value has no address.
        var random: any RandomNumberGenerator = SystemRandomNumberGenerator()
        return UniqueID.random(using: &random)
    }

    /// A page's length, 1 to 1000.
    func limit(_ asked: UInt32?) throws(ClientError) -> Int {
        let limit = Int(asked ?? 100)
        guard (1...1000).contains(limit) else {
            throw ClientError(
                .invalidArgument,
                "limit is \(limit); allowed are 1 to 1000",
                errors: [FieldError(field: "limit", message: "is \(limit); allowed are 1 to 1000")]
            )
        }
        return limit
    }

    func cursor(_ text: String?) throws(ClientError) -> UniqueID? {
        guard let text else { return nil }
        guard let id = UniqueID(text) else {
            throw ClientError(
                .invalidArgument,
                "cursor '\(text.prefix(50))' is not one that a list answered",
                errors: [
                    FieldError(field: "cursor", message: "is not one that a list answered; use it as it came")
                ]
            )
        }
        return id
    }
}
