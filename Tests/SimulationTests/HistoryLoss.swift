import CarillonCore
import TestSupport

/// The database's history goes back: a fail-over to a standby that lacks the last commits, or a restored backup.
struct HistoryLoss {
    unowned let world: World

    func strike() {
        switch Int.random(in: 0..<4, using: &world.random) {
        case 0: loseLastCommits()
        case 1: world.database.atNextCommit = { if world.faultsAreOn { loseLastCommits() } }
        case 2: restoreBackup()
        default: loseTakeOver()
        }
    }

    /// An asynchronous standby lacks the last transactions.
    private func loseLastCommits() {
        let recent = world.database.history.snapshots.dropLast().suffix(5).filter { $0.time > world.time - 400_000 }
        guard let snapshot = recent.randomElement(using: &world.random) else { return }
        world.count("history went back: last commits")
        goBack(to: snapshot)
    }

    /// A backup is some seconds old, or much older. Processes go on, or are restarted with the database.
    private func restoreBackup() {
        let old = world.database.history.snapshots.filter { $0.time <= world.time - 2_000_000 }
        guard let snapshot = old.randomElement(using: &world.random) else { return }
        world.count("history went back: backup")
        goBack(to: snapshot)
        let restarted: Double = [0, 0.5, 1].randomElement(using: &world.random) ?? 0
        for scheduler in world.schedulers where scheduler.isAlive && world.random.happens(restarted) {
            world.restart(scheduler)
        }
        for worker in world.workers where worker.isAlive && world.random.happens(0.2) {
            world.count("worker killed with a restored backup")
            worker.kill()
            worker.start()
        }
    }

    /// The leader ends, another one takes over, and the database loses that take-over. Where its clock is behind the epoch of
    /// the leader before, the next leader gets the number of the lost epoch again.
    private func loseTakeOver() {
        guard let leader = world.schedulers.first(where: \.isLeading) else { return }
        if world.options.clockStepsPerSecond > 0, world.random.happens(0.7) {
            let milliseconds = Int64.random(in: 10_000...20_000, using: &world.random)
            if world.setDatabaseClockBack(byMs: milliseconds) { world.count("take-over lost by a clock behind") }
        }
        world.restart(leader)
        awaitLease(after: world.database.leaseCount, losses: world.database.lossCount, patience: 400)
    }

    /// Waits for the next lease, and for what its leader does in its first moments.
    private func awaitLease(after leases: Int, losses: Int, patience: Int) {
        guard world.faultsAreOn, patience > 0, losses == world.database.lossCount else { return }
        // The state just before the lease.
        let snapshot = world.database.snapshot
        world.after(20_000) { [self] in
            guard world.database.leaseCount > leases else {
                return awaitLease(after: leases, losses: losses, patience: patience - 1)
            }
            world.after(Int64.random(in: 0...1_500_000, using: &world.random)) { [self] in
                guard world.faultsAreOn, losses == world.database.lossCount else { return }
                world.count("history went back: take-over")
                goBack(to: snapshot)
            }
        }
    }

    private func goBack(to snapshot: StoreHistory.Snapshot) {
        if world.options.clockStepsPerSecond > 0, world.random.happens(0.3) {
            let milliseconds = Int64.random(in: 1_000...20_000, using: &world.random)
            if world.setDatabaseClockBack(byMs: milliseconds) { world.count("history went back with the clock") }
        }
        world.database.goBack(to: snapshot, awayForMs: Int.random(in: 50...3_000, using: &world.random))
    }
}
