internal import CarillonCore
internal import CarillonRuntime
internal import Logging

/// Logs late starts of executions: a warning above 1 s, an error above 10 s, each at most once a minute.
final class DriftLog: Sendable {
    private let log: RateLimitedLog

    init(logger: Logger) {
        log = RateLimitedLog(logger)
    }

    func look(at executions: [Execution]) {
        var worst: Execution?
        for execution in executions where execution.driftMicroseconds ?? 0 > worst?.driftMicroseconds ?? 1_000_000 {
            worst = execution
        }
        guard let worst, let drift = worst.driftMicroseconds else { return }
        let isSevere = drift > 10_000_000
        log.log(
            isSevere ? .error : .warning,
            key: "drift",
            "executions start late",
            metadata: [
                "drift_ms": "\(drift / 1000)", "job_id": "\(worst.jobID)", "execution_id": "\(worst.id)",
            ]
        )
    }
}
