/// The configuration of a dispatcher.
package struct DispatcherConfiguration: Sendable, Hashable {
    /// The owner of this process's leases: random for each process start.
    package var owner: UniqueID
    package var leaseMs: Int
    package var horizonMs: Int
    package var maxOpenExecutions: Int
    /// How many bytes of a response workers keep.
    package var responseLimit: Int
    package var connectTimeoutMs: Int
    /// How long outcomes without a waiting client are collected after the last batch before the next batch is sent.
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
