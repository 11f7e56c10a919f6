/// What bounds the executions of a job. ``Job`` and the leader's record of a job both have it. The value that a limit has
/// here at first is its default. 32 bits are enough for 24 days, and a leader keeps a million of these.
package struct ExecutionLimits: Sendable, Hashable {
    package var timeoutMs: Int32 = 30_000
    package var maxRetries: Int32 = 3
    package var retryInitialDelayMs: Int32 = 2_000
    package var retryMaxDelayMs: Int32 = 30_000
    package var catchUpWindowMs: Int32 = 60_000
    package var priority: Int32 = 0
    /// How long after its scheduled time an execution may start; 0: at any time.
    package var startDeadlineMs: Int32 = 0

    package init() {}
}
