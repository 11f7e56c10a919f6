internal import CarillonCore
internal import CarillonSystem
internal import Logging
internal import Synchronization

/// Says in the log when executions begin late: a warning above a second, an error above ten, each once a minute at most.
final class DriftLog: Sendable {
    private let logger: Logger
    private let saidAt = Mutex<[Bool: BootTime]>([:])

    init(logger: Logger) {
        self.logger = logger
    }

    func look(at executions: [Execution]) {
        var worst: Execution?
        for execution in executions where execution.driftMicroseconds ?? 0 > worst?.driftMicroseconds ?? 1_000_000 {
            worst = execution
        }
        guard let worst, let drift = worst.driftMicroseconds else { return }
        let isSevere = drift > 10_000_000
        let now = SystemClock.bootTime()
        let isDue = saidAt.withLock { saidAt in
            if let last = saidAt[isSevere], now.milliseconds(since: last) < 60_000 { return false }
            saidAt[isSevere] = now
            return true
        }
        guard isDue else { return }
        logger.log(
            level: isSevere ? .error : .warning,
            "executions begin late",
            metadata: [
                "drift_ms": "\(drift / 1000)", "job_id": "\(worst.jobID)", "execution_id": "\(worst.id)",
            ]
        )
    }
}
