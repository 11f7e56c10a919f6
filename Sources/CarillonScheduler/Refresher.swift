internal import CarillonCore
internal import CarillonSystem
internal import Logging
internal import Synchronization

/// Looks at what changes without anybody's asking: rows that somebody edited with SQL, time zone data, partitions.
final class Refresher: Sendable {
    private let store: any JobStore
    private let rules: JobRules
    private let logger: Logger
    private let pump: Pump<Event>
    private let everyMs: Int
    private let search: Mutex<EditSearch>

    init(everyMs: Int, store: any JobStore, rules: JobRules, logger: Logger, pump: Pump<Event>) {
        self.everyMs = everyMs
        search = Mutex(EditSearch(everyMs: everyMs))
        self.store = store
        self.rules = rules
        self.logger = logger
        self.pump = pump
    }

    /// Until cancelled.
    func run(
        retentionDays: Int,
        isLeading: @Sendable () -> Bool,
        clusterTime: @Sendable () -> Timestamp,
        reloadZones: @Sendable () -> Set<String>
    ) async {
        var maintainedAt: BootTime?
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(everyMs))
            if Task.isCancelled { return }
            let changedZones = reloadZones()
            guard isLeading() else {
                search.withLock { $0.forget() }
                continue
            }
            _ = await refreshNow(clusterTime: clusterTime(), boot: SystemClock.bootTime())
            if !changedZones.isEmpty { await plan(jobsIn: changedZones) }
            let boot = SystemClock.bootTime()
            if maintainedAt.map({ boot.milliseconds(since: $0) >= 3_600_000 }) ?? true {
                maintainedAt = boot
                await maintain(before: clusterTime() - Int64(retentionDays) * 86_400_000, retentionDays: retentionDays)
            }
        }
    }

    /// Reads what changed since the last look; returns whether that was possible.
    ///
    /// - Parameters:
    ///   - clusterTime: now, by the database's clock.
    ///   - boot: now, by this machine's.
    func refreshNow(clusterTime: Timestamp, boot: BootTime) async -> Bool {
        let since = search.withLock { $0.since(clusterTime: clusterTime, boot: boot) }
        let (answers, continuation) = AsyncStream.makeStream(of: StoreAnswer.self)
        store.submit(.loadChangedJobs(since: since)) { answer in
            continuation.yield(answer)
            switch answer {
            case .jobs(_, isLast: false): break
            default: continuation.finish()
            }
        }
        for await answer in answers {
            switch answer {
            case .jobs(let jobs, _):
                if !jobs.isEmpty { pump.post(.jobsRefreshed(jobs.map(rules.planned))) }
            case .failed(let text):
                logger.warning("the re-read of the jobs failed", metadata: ["error": "\(text)"])
                return false
            default:
                return false
            }
        }
        search.withLock { $0.found(clusterTime: clusterTime, boot: boot) }
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
            if !concerned.isEmpty { pump.post(.jobsRefreshed(concerned.map(rules.planned))) }
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
