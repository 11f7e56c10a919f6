internal import CarillonCore
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Periodically reads changes that no client announces: rows edited in SQL and time zone data. Also maintains the partitions.
final class Refresher: Sendable {
    private let store: any JobStore
    private let rules: JobRules
    private let logger: Logger
    private let eventLoop: EventLoopThread<Event>
    private let clusterTime: @Sendable () -> Timestamp
    private let everyMs: Int
    private let search: Mutex<EditSearch>
    private let looks = Mutex(Looks())

    /// The read in progress, and the read that follows it.
    private struct Looks {
        var current: Task<Bool, Never>?
        var next: Task<Bool, Never>?
    }

    /// - Parameters:
    ///   - everyMs: the interval between reads.
    ///   - clusterTime: the current time by the database's clock.
    init(
        everyMs: Int,
        store: any JobStore,
        rules: JobRules,
        logger: Logger,
        eventLoop: EventLoopThread<Event>,
        clusterTime: @escaping @Sendable () -> Timestamp
    ) {
        self.everyMs = everyMs
        search = Mutex(EditSearch())
        self.store = store
        self.rules = rules
        self.logger = logger
        self.eventLoop = eventLoop
        self.clusterTime = clusterTime
    }

    /// Runs until cancelled.
    func run(
        retentionDays: Int,
        isLeading: @Sendable () -> Bool,
        reloadZones: @Sendable () -> Set<String>
    ) async {
        var maintainedAt: BootTime?
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(everyMs))
            if Task.isCancelled { return }
            let changedZones = reloadZones()
            guard isLeading() else { continue }
            _ = await refreshNow()
            if !changedZones.isEmpty { await plan(jobsIn: changedZones) }
            let boot = SystemClock.bootTime()
            if maintainedAt.map({ boot.milliseconds(since: $0) >= 3_600_000 }) ?? true {
                maintainedAt = boot
                await maintain(before: clusterTime() - Int64(retentionDays) * 86_400_000, retentionDays: retentionDays)
            }
        }
    }

    /// This scheduler is about to lead and reads all jobs.
    func jobsAreRead(at clusterTime: Timestamp) {
        search.withLock { $0.begin(clusterTime: clusterTime, boot: SystemClock.bootTime()) }
    }

    /// The database's clock was set back. Cluster time may not have followed yet.
    func clockWentBack(by milliseconds: Int64) {
        let time = clusterTime() - milliseconds
        search.withLock { $0.wentBack(to: time) }
    }

    /// Reads the changes since the last read; returns whether that succeeded. Only one read runs at a time. Callers that arrive
    /// meanwhile share the next read, which sees every change made before their call.
    func refreshNow() async -> Bool {
        let task = looks.withLock { looks in
            if let next = looks.next { return next }
            let current = looks.current
            let task = Task {
                _ = await current?.value
                self.looks.withLock { looks in (looks.current, looks.next) = (looks.next, nil) }
                let isDone = await self.look()
                self.looks.withLock { looks in if looks.next == nil { looks.current = nil } }
                return isDone
            }
            looks.next = task
            return task
        }
        return await task.value
    }

    private func look() async -> Bool {
        let look = search.withLock { $0.look(clusterTime: clusterTime(), boot: SystemClock.bootTime()) }
        let (answers, continuation) = AsyncStream.makeStream(of: StoreAnswer.self)
        store.submit(.loadChangedJobs(since: look.since)) { answer in
            continuation.yield(answer)
            switch answer {
            case .jobs(_, isLast: false): break
            default: continuation.finish()
            }
        }
        for await answer in answers {
            switch answer {
            case .jobs(let jobs, _):
                if !jobs.isEmpty { eventLoop.post(.jobsRefreshed(jobs.map(rules.planned))) }
            case .failed(let text):
                logger.warning("job refresh failed", metadata: ["error": "\(text)"])
                return false
            default:
                return false
            }
        }
        search.withLock { $0.found(look) }
        return true
    }

    /// Plans the jobs of zones with changed rules again, because a job keeps the rules that it was planned with.
    private func plan(jobsIn zones: Set<String>) async {
        logger.notice("time zone rules changed", metadata: ["zones": "\(zones.sorted().joined(separator: " "))"])
        let (answers, continuation) = AsyncStream.makeStream(of: StoreAnswer.self)
        store.submit(.loadJobs) { answer in
            continuation.yield(answer)
            if case .jobs(_, isLast: false) = answer { return }
            continuation.finish()
        }
        for await answer in answers {
            guard case .jobs(let jobs, _) = answer else {
                logger.warning("job read after a time zone change failed")
                return
            }
            let concerned = jobs.filter { zones.contains($0.timeZone) }
            if !concerned.isEmpty { eventLoop.post(.jobsRefreshed(concerned.map(rules.planned))) }
        }
    }

    private func maintain(before: Timestamp, retentionDays: Int) async {
        let answer = await withCheckedContinuation { continuation in
            store.submit(.maintain(retainFrom: retentionDays > 0 ? before : nil)) { continuation.resume(returning: $0) }
        }
        if case .failed(let text) = answer {
            logger.warning("partition maintenance failed", metadata: ["error": "\(text)"])
        }
    }
}
