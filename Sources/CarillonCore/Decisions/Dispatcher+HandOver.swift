/// A leader without workers gives the lead to a standby that has some (design § 5).
extension Dispatcher {
    /// How long no worker is connected before the lead is handed over.
    private static var patienceMs: Int64 { 5_000 }
    /// How old word of a standby may be.
    private static var standbyMs: Int64 { 2_000 }
    /// How long a scheduler that has handed over is no candidate.
    private static var absenceMs: Int64 { 60_000 }

    /// What a standby says of itself: how many workers could be given calls. One that has just handed over says none.
    package func usableWorkers(at boot: BootTime) -> Int {
        if let handedOverAt = leadership.handedOverAt, boot < handedOverAt + Self.absenceMs { return 0 }
        return pool.roster.workers.values.count { !$0.draining }
    }

    /// Hands over if no worker is connected and a standby has some. Not during a take-over, and not while a batch is in flight:
    /// its outcome would be settled by nobody.
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
        stepDown("no worker is connected; another scheduler has some", at: now, into: &actions)
        leadership.lease.lost(at: now.boot, waitMs: 2_000)
    }
}
