package import CarillonCore
package import Logging

/// The writer's database: batches on one connection, the lease on a second, the leader's reads on a third, maintenance on a
/// fourth, each with its own thread. The last two connections are open only when needed.
package final class PostgresStore: JobStore {
    private let writer: BatchWriter
    private let lease: LeaseHolder
    private let loader: StoreLoader
    private let upkeep: StoreLoader
    private let context: StoreContext

    /// Starts to connect at once.
    ///
    /// - Parameters:
    ///   - onLeaseConnectionLost: called on a thread of the store as soon as the lease connection is lost, and the advisory lock with
    ///     it. Also called when a request was in progress, which is answered as well.
    ///   - onCommit: called after each durable batch, with the time from submission to the answer and the number of rows.
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

    /// Whether the writing connection is open.
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

    /// Ends all threads and closes all connections, which releases the lease's lock. A commit in progress is not answered any
    /// more.
    package func shutdown() {
        writer.shutdown()
        lease.shutdown()
        loader.shutdown()
        upkeep.shutdown()
    }
}
