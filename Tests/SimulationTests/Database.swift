import CarillonCore
import TestSupport

/// The database as the schedulers reach it: slow, unreachable, or with lost responses. Its content is in a
/// `MemoryStore`. As `JobStore` promises, a lost commit is resolved before it is answered.
final class Database {
    private unowned let world: World
    var store = MemoryStore()
    private var stalledUntil: Int64 = 0
    /// Only for the writing connection.
    private var writerStalledUntil: Int64 = 0
    private var awayUntil: Int64 = 0
    private var nextSession = 1
    private(set) var history = StoreHistory()
    /// Runs when the next batch has been sent.
    var atNextCommit: (() -> Void)?
    /// How often the lease was taken, and how often the history went back.
    private(set) var leaseCount = 0
    private(set) var lossCount = 0

    init(world: World) {
        self.world = world
    }

    var isAway: Bool { world.time < awayUntil }

    private func latency() -> Int64 {
        Int64.random(in: 200...2_500, using: &world.random) + max(0, stalledUntil - world.time)
    }

    // MARK: Faults

    func stall(forMs milliseconds: Int) {
        stalledUntil = world.time + Int64(milliseconds) * 1_000
    }

    /// The writing connection gets no responses; the lease and the readers continue.
    func stallWriter(forMs milliseconds: Int) {
        writerStalledUntil = max(writerStalledUntil, world.time + Int64(milliseconds) * 1_000)
    }

    /// All connections end, and new ones fail for a while.
    func goAway(forMs milliseconds: Int) {
        awayUntil = world.time + Int64(milliseconds) * 1_000
        for scheduler in world.schedulers where scheduler.session != nil { endSession(of: scheduler) }
    }

    /// The state as it is now, with what is demanded of its jobs.
    var snapshot: StoreHistory.Snapshot {
        StoreHistory.Snapshot(time: world.time, store: store, expectations: world.oracle.expectations)
    }

    private func recordHistory() {
        if world.options.historyLossesPerSecond > 0, world.faultsAreOn { history.add(snapshot) }
    }

    /// Every session ends, and the sessions that come after a while find an earlier state.
    func goBack(to snapshot: StoreHistory.Snapshot, awayForMs milliseconds: Int) {
        goAway(forMs: milliseconds)
        let lost = store
        store = snapshot.store
        if let holder = store.lockHolder { store.sessionEnded(holder) }
        history.forget(after: snapshot.time)
        lossCount += 1
        world.oracle.historyWentBack(from: lost, to: store, expectations: snapshot.expectations)
        world.clients.historyWentBack()
    }

    private func endSession(of scheduler: SchedulerProcess) {
        guard let session = scheduler.session else { return }
        scheduler.session = nil
        store.sessionEnded(session)
        deliver(.leaseConnectionLost("the session was ended"), to: scheduler, scheduler.life)
    }

    func processEnded(_ scheduler: SchedulerProcess) {
        guard let session = scheduler.session else { return }
        scheduler.session = nil
        world.after(Int64.random(in: 500...20_000, using: &world.random)) { [self] in store.sessionEnded(session) }
    }

    // MARK: Requests

    private func deliver(_ event: Event, to scheduler: SchedulerProcess, _ life: Int) {
        world.after(latency()) {
            if scheduler.life == life { scheduler.post(event) }
        }
    }

    enum LeaseRequest {
        case acquire(above: Int64, usableWorkers: Int)
        case renew(Int64)
        case release(Int64)
        case handOver(Int64, to: UniqueID)
    }

    func lease(_ request: LeaseRequest, _ scheduler: SchedulerProcess, owner: UniqueID, leaseMs: Int) {
        let (life, sentAt) = (scheduler.life, scheduler.now.boot)
        world.after(latency()) { [self] in
            guard scheduler.life == life else { return }
            if case .release(let epoch) = request {
                if let session = scheduler.session, !isAway {
                    store.releaseLease(session: session, owner: owner, epoch: epoch, now: world.databaseTime)
                    scheduler.session = nil
                }
                deliver(.leaseReleased, to: scheduler, life)
                return
            }
            if case .handOver(let epoch, let standby) = request {
                guard let session = scheduler.session, !isAway else { return }
                store.releaseLease(
                    session: session,
                    owner: owner,
                    epoch: epoch,
                    standby: standby,
                    now: world.databaseTime
                )
                scheduler.session = nil
                return
            }
            guard !isAway else {
                deliver(.leaseConnectionLost("no database"), to: scheduler, life)
                return
            }
            switch request {
            case .acquire(let floor, let usableWorkers):
                if scheduler.session == nil {
                    scheduler.session = nextSession
                    nextSession += 1
                }
                let (session, holder) = (scheduler.session ?? 0, store.lockHolder)
                let result = store.acquireLease(
                    session: session,
                    owner: owner,
                    address: scheduler.address,
                    leaseMs: leaseMs,
                    above: floor,
                    usableWorkers: usableWorkers,
                    now: world.databaseTime
                )
                if let holder, holder != session, store.lockHolder == session {
                    world.count("lease taken from a silent leader")
                    for other in world.schedulers where other.session == holder {
                        other.session = nil
                        deliver(.leaseConnectionLost("terminated by another"), to: other, other.life)
                    }
                }
                if case .held = result {
                    leaseCount += 1
                    world.oracle.leaderChanged()
                    world.oracle.leaseTaken(by: scheduler)
                    recordHistory()
                }
                deliver(.leaseAnswered(result, sentAt: sentAt), to: scheduler, life)
            case .renew(let epoch):
                guard let session = scheduler.session else {
                    deliver(.leaseConnectionLost("the session has ended"), to: scheduler, life)
                    return
                }
                let result = store.renewLease(
                    session: session,
                    owner: owner,
                    epoch: epoch,
                    leaseMs: leaseMs,
                    now: world.databaseTime
                )
                deliver(.leaseAnswered(result, sentAt: sentAt), to: scheduler, life)
            case .release, .handOver:
                break
            }
        }
    }

    /// Runs a query; `nil` if the database did not respond.
    func query<Value>(
        _ scheduler: SchedulerProcess,
        _ value: @escaping (MemoryStore) -> Value,
        _ then: @escaping (Value?) -> Void
    ) {
        let life = scheduler.life
        world.after(latency()) { [self] in
            guard scheduler.life == life else { return }
            guard !isAway, !(world.faultsAreOn && world.random.happens(world.options.failedReads)) else {
                world.count("query failed")
                world.after(100_000) { scheduler.whenRunning(life) { then(nil) } }
                return
            }
            let found = value(store)
            world.after(latency()) { scheduler.whenRunning(life) { then(found) } }
        }
    }

    /// A read with a paged response.
    func read<Row>(
        _ scheduler: SchedulerProcess,
        _ rows: @escaping (MemoryStore) -> [Row],
        _ event: @escaping ([Row], _ isLast: Bool) -> Event,
        failed: Event?
    ) {
        let life = scheduler.life
        scheduler.readsInLine += 1
        let pending = max(latency(), scheduler.readsEnd - world.time)
        scheduler.readsEnd = world.time + pending + 1
        world.after(pending) { [self] in
            guard scheduler.life == life else { return }
            guard !isAway, !(world.faultsAreOn && world.random.happens(world.options.failedReads)) else {
                world.count("read failed")
                scheduler.readsEnd = max(scheduler.readsEnd, world.time + 100_000)
                guard let failed else { return }
                world.after(100_000) { if scheduler.life == life { scheduler.post(failed) } }
                return
            }
            let found = rows(store)
            let pages = stride(from: 0, to: max(found.count, 1), by: 5).map { Array(found.dropFirst($0).prefix(5)) }
            for (index, page) in pages.enumerated() {
                let event = event(page, index == pages.count - 1)
                world.after(Int64(index)) { if scheduler.life == life { scheduler.post(event) } }
            }
            scheduler.readsEnd = max(scheduler.readsEnd, world.time + Int64(pages.count))
        }
    }

    // MARK: Commits

    func commit(_ batch: WriteBatch, _ scheduler: SchedulerProcess) {
        let life = scheduler.life
        if let work = atNextCommit {
            atNextCommit = nil
            world.after(0, work)
        }
        world.after(latency() + max(0, writerStalledUntil - world.time)) { [self] in
            if scheduler.life != life, world.random.happens(0.5) { return }
            let isLost = world.faultsAreOn && world.random.happens(world.options.lostCommits)
            guard !isAway, !isLost || world.random.happens(0.5) else {
                world.count("commit lost")
                settleLater(batch, scheduler, life)
                return
            }
            let result = write(batch)
            if world.faultsAreOn, world.random.happens(world.options.crashesAtCommits), scheduler.life == life {
                world.count("scheduler killed at a commit")
                world.restart(scheduler)
            } else if isLost {
                world.count("commit made, answer lost")
                settleLater(batch, scheduler, life)
            } else {
                deliver(.committed(result, epoch: batch.epoch, sequence: batch.sequence), to: scheduler, life)
            }
        }
    }

    private func write(_ batch: WriteBatch) -> CommitResult {
        let inserts = (batch.inserts + batch.changes.flatMap(\.inserts)).map(\.id)
        let touched = Set(batch.updates.map(\.id) + batch.starts.map(\.id) + batch.withdrawals + inserts)
        let before = store.executions.filter { touched.contains($0.key) }
        world.oracle.asked(toCommit: batch)
        let isFenced = batch.epoch != store.shards[0].epoch || batch.owner != store.shards[0].owner
        if !isFenced, batch.updates.contains(where: { $0.response == Target.unwantedText }) {
            world.count("text refused")
            return .refused(message: "invalid byte sequence", constraint: nil)
        }
        let result = store.commit(batch, now: world.databaseTime)
        switch result {
        case .committed:
            world.oracle.committed(batch, before: before)
            recordHistory()
        case .fenced: world.count("write fenced")
        case .refused:
            world.count("write refused")
            world.oracle.refused(batch)
        }
        return result
    }

    private func settleLater(_ batch: WriteBatch, _ scheduler: SchedulerProcess, _ life: Int) {
        world.after(Int64.random(in: 2_000...400_000, using: &world.random) + latency()) { [self] in
            scheduler.whenRunning(life) { [self] in
                guard !isAway else { return settleLater(batch, scheduler, life) }
                let event: CommitResult
                if store.hasCommitted(batch) {
                    event = .committed(notPending: store.notPending(of: batch))
                } else if store.shards[0].owner != batch.owner || store.shards[0].epoch != batch.epoch {
                    event = .fenced
                } else {
                    return commit(batch, scheduler)
                }
                deliver(.committed(event, epoch: batch.epoch, sequence: batch.sequence), to: scheduler, life)
            }
        }
    }
}
