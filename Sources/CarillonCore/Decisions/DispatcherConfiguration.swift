/// What a dispatcher is told at its start.
package struct DispatcherConfiguration: Sendable, Hashable {
    /// Random, new at each process start: the owner of the leases that it takes.
    package var owner: UniqueID
    package var leaseMs: Int
    package var horizonMs: Int
    package var maxOpenExecutions: Int
    /// Bytes of a response that workers keep.
    package var responseLimit: Int
    package var connectTimeoutMs: Int
    /// How long outcomes that nobody waits for are gathered after the last batch before the next one takes them.
    package var recordDelayMs: Int

    package init(
        owner: UniqueID,
        leaseMs: Int = 5_000,
        horizonMs: Int = 500,
        maxOpenExecutions: Int = 250_000,
        responseLimit: Int = 4_096,
        connectTimeoutMs: Int = 10_000,
        recordDelayMs: Int = 20
    ) {
        self.owner = owner
        self.leaseMs = leaseMs
        self.horizonMs = horizonMs
        self.maxOpenExecutions = maxOpenExecutions
        self.responseLimit = responseLimit
        self.connectTimeoutMs = connectTimeoutMs
        self.recordDelayMs = recordDelayMs
    }
}
