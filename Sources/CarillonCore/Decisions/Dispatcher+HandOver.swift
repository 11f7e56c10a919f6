/// A leader without workers hands the lead over to a standby that has workers.
extension Dispatcher {
    /// How long the leader must be without workers before it hands over.
    private static var patienceMs: Int64 { 5_000 }
    /// The maximum age of a standby's report.
    private static var standbyMs: Int64 { 2_000 }
    /// How long a scheduler reports no usable workers after it handed over.
    private static var absenceMs: Int64 { 60_000 }

    /// The number of usable workers that a standby reports; zero for a while after it handed over.
    package func usableWorkers(at boot: BootTime) -> Int {
        if let handedOverAt = leadership.handedOverAt, boot < handedOverAt + Self.absenceMs { return 0 }
        return pool.roster.workers.values.count { !$0.draining }
    }

    /// Hands over if no worker is connected and a standby has workers. Not during a take-over, and not while a batch is
    /// in flight, because no scheduler would resolve its outcome.
    mutating func handOverIfUseless(at now: Now, into actions: inout [Action]) {
        guard case .leading = leadership.phase, recovery == nil, !leadership.isStopping, pool.roster.capacity == 0
        else {
            leadership.workerlessSince = nil
            return
        }
        let since = leadership.workerlessSince ?? now.boot
        leadership.workerlessSince = since
        guard let epoch = leadership.lease.epoch, log.isIdle, now.boot >= since + Self.patienceMs,
            let standby = leadership.standby, now.boot < standby.at + Self.standbyMs,
            standby.owner != configuration.owner
        else { return }
        leadership.handedOverAt = now.boot
        leadership.workerlessSince = nil
        leadership.standby = nil
        actions.append(.log(.leadHandedOver(to: standby.owner)))
        actions.append(.handOverLease(epoch: epoch, to: standby.owner))
        stepDown("no worker is connected; another scheduler has workers", at: now, into: &actions)
        leadership.lease.lost(at: now.boot, waitMs: 2_000)
    }
}
