/// The limits of a job's executions, part of ``Job`` and of the leader's record of a job. The initial values are the
/// defaults. 32 bits cover 24 days in milliseconds; a leader holds up to a million of these values in memory.
package struct ExecutionLimits: Sendable, Hashable {
    package var timeoutMs: Int32 = 30_000
    package var maxRetries: Int32 = 3
    package var retryInitialDelayMs: Int32 = 2_000
    package var retryMaxDelayMs: Int32 = 30_000
    package var catchUpWindowMs: Int32 = 60_000
    package var priority: Int32 = 0
    /// How long after its scheduled time an execution may start; 0: no limit.
    package var startDeadlineMs: Int32 = 0

    package init() {}
}
