internal import CarillonCore
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Looks at what changes without anybody's asking: rows that somebody edited with SQL, time zone data, partitions.
final class Refresher: Sendable {
    private let store: any JobStore
    private let rules: JobRules
    private let logger: Logger
    private let eventLoop: EventLoopThread<Event>
    private let clusterTime: @Sendable () -> Timestamp
    private let everyMs: Int
    private let search: Mutex<EditSearch>
    private let looks = Mutex(Looks())

    /// The look that is under way, and the one that begins after it.
    private struct Looks {
        var current: Task<Bool, Never>?
        var next: Task<Bool, Never>?
    }

    /// - Parameters:
    ///   - everyMs: how often is looked.
    ///   - clusterTime: now, by the database's clock.
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

    /// Until cancelled.
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

    /// This scheduler is about to lead, and reads all jobs from now on.
    func jobsAreRead(at clusterTime: Timestamp) {
        search.withLock { $0.begin(clusterTime: clusterTime, boot: SystemClock.bootTime()) }
    }

    /// The database's clock was set back by so many milliseconds. Whether cluster time has followed yet is open.
    func clockWentBack(by milliseconds: Int64) {
        let time = clusterTime() - milliseconds
        search.withLock { $0.wentBack(to: time) }
    }

    /// Reads what changed since the last look; returns whether that was possible. One look is under way at a time: whoever
    /// asks meanwhile shares the next one, which sees all that was there when they asked.
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
                logger.warning("the re-read of the jobs failed", metadata: ["error": "\(text)"])
                return false
            default:
                return false
            }
        }
        search.withLock { $0.found(look) }
        return true
    }

    /// Jobs keep the rules of their zone: those of zones that have new ones are planned anew.
    private func plan(jobsIn zones: Set<String>) async {
        logger.notice("time zones have new rules", metadata: ["zones": "\(zones.sorted().joined(separator: " "))"])
        let (answers, continuation) = AsyncStream.makeStream(of: StoreAnswer.self)
        store.submit(.loadJobs) { answer in
            continuation.yield(answer)
            if case .jobs(_, isLast: false) = answer { return }
            continuation.finish()
        }
        for await answer in answers {
            guard case .jobs(let jobs, _) = answer else {
                logger.warning("the jobs of time zones with new rules could not be read")
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
            logger.warning("the partitions could not be kept in order", metadata: ["error": "\(text)"])
        }
    }
}
