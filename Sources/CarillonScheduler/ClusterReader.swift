internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire

/// Describes the cluster as this scheduler knows it.
struct ClusterReader: Sendable {
    let configuration: SchedulerConfiguration
    let store: any JobStore
    let reader: any HistoryReader
    let peers: Peers
    let status: StatusSnapshot
    let zones: any ZoneSource
    let startedAt: Timestamp

    func view() async -> ClusterView {
        let current = status.current
        let shards = try? await reader.shards()
        let now = status.clusterTime()
        let limitMs = Int64(configuration.dispatcher.leaseMs)
        let isWaiting = store.health.problem(limitMs: limitMs) != nil
        return ClusterView(
            serverID: configuration.dispatcher.owner,
            leading: current.isLeading,
            epoch: current.epoch,
            leaderAddress: current.isLeading ? status.ownAddress : Self.leader(of: shards, at: now),
            clusterTime: now,
            databaseSkewMs: now - SystemClock.now().wall,
            databaseConnected: shards != nil && !isWaiting,
            jobs: Int64(current.jobs),
            activeJobs: Int64(current.activeJobs),
            heapSize: Int64(current.heapSize),
            readyQueueDepth: Int64(current.readyQueueDepth),
            openExecutions: Int64(current.openExecutions),
            shards: shards ?? [],
            workers: peers.workers.map { view(of: $0, current) },
            version: configuration.version,
            timeZoneDataVersion: zones.version,
            startedAt: startedAt,
            problem: status.problem(of: store.health, limitMs: limitMs)
        )
    }

    private func view(of entry: Peers.Entry, _ current: Status) -> WorkerView {
        let workerStatus = current.workers[entry.peer.id]
        return WorkerView(
            name: entry.peer.hello.name,
            bootID: entry.peer.hello.bootID,
            address: entry.peer.address,
            draining: workerStatus?.isDraining ?? false,
            maxWorkers: Int(entry.peer.hello.maxWorkers ?? 0),
            inFlight: workerStatus?.inFlight ?? 0,
            freeSlots: workerStatus?.freeSlots ?? 0,
            skewMs: entry.skewMs,
            version: entry.peer.hello.version
        )
    }

    /// The leader's address as the database has it; `nil` when the lease has run out.
    private static func leader(of shards: [ShardRecord]?, at now: Timestamp) -> String? {
        guard let shard = shards?.first, let until = shard.leaseExpiresAt, until > now else { return nil }
        return shard.address
    }
}
