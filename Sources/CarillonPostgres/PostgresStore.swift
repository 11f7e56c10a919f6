package import CarillonCore
package import Logging

/// The database, as the writer of the shards sees it: batches on one connection, the lease on a second, what the leader
/// reads on a third, upkeep on a fourth; each has a thread of its own. The last two are open only while they are needed.
package final class PostgresStore: JobStore {
    private let writer: BatchWriter
    private let lease: LeaseHolder
    private let loader: StoreLoader
    private let upkeep: StoreLoader
    private let context: StoreContext

    /// Begins to connect at once.
    ///
    /// - Parameters:
    ///   - onLeaseConnectionLost: called on a thread of the store, the moment the lease's connection is seen to be gone;
    ///     the advisory lock is gone with it. Also called where a request was under way, which is answered as well.
    ///   - onCommit: called after each batch that became durable, with the time from its hand-over to the answer, and how
    ///     many rows it held.
    package init(
        configuration: PostgresConfiguration,
        logger: Logger,
        onLeaseConnectionLost: @escaping @Sendable (String) -> Void,
        onCommit: @escaping @Sendable (_ microseconds: UInt64, _ rows: Int) -> Void = { _, _ in }
    ) {
        context = StoreContext(url: configuration.url, logger: logger)
        writer = BatchWriter(context, onCommit: onCommit)
        lease = LeaseHolder(context, onLost: onLeaseConnectionLost)
        loader = StoreLoader(context, role: .loader, name: "pg-loader")
        upkeep = StoreLoader(context, role: .maintenance, name: "pg-upkeep")
        writer.start()
        lease.start()
        loader.start()
        upkeep.start()
    }

    /// Whether the connection that writes is there.
    package var isConnected: Bool { writer.isConnected }

    package var health: StoreHealth { context.health.health }

    package func submit(_ request: StoreRequest, answer: @escaping @Sendable (StoreAnswer) -> Void) {
        switch request {
        case .acquireLease(let owner, let address, let leaseMs, let floor, let usableWorkers):
            lease.submit(
                .init(
                    action: .acquire(
                        owner: owner,
                        address: address,
                        leaseMs: leaseMs,
                        above: floor,
                        usableWorkers: usableWorkers
                    ),
                    answer: answer
                )
            )
        case .renewLease(let owner, let epoch, let leaseMs):
            lease.submit(.init(action: .renew(owner: owner, epoch: epoch, leaseMs: leaseMs), answer: answer))
        case .releaseLease(let owner, let epoch, let standby):
            lease.submit(.init(action: .release(owner: owner, epoch: epoch, standby: standby), answer: answer))
        case .commit(let batch):
            writer.submit(.init(batch: batch, answer: answer))
        case .maintain:
            upkeep.submit(.init(request: request, answer: answer))
        case .loadJobs, .loadJobsNamed, .loadOpenExecutions, .loadOutageRows, .loadChangedJobs, .findIdempotencyKey,
            .findExecution:
            loader.submit(.init(request: request, answer: answer))
        }
    }

    /// Ends all threads and closes all connections, and with them gives the lease's lock back. A commit that is under way
    /// is not answered any more.
    package func shutdown() {
        writer.shutdown()
        lease.shutdown()
        loader.shutdown()
        upkeep.shutdown()
    }
}
