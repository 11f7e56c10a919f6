package import CarillonCron

/// What to call and when: a row of `jobs`.
package struct Job: Sendable, Hashable {
    package var id: JobID
    /// Unique among the living, when given.
    package var name: String?
    package var description: String?
    /// The expression as its author wrote it.
    package var schedule: String
    /// An IANA name.
    package var timeZone: String
    package var daylightPolicy: DaylightPolicy
    package var call: HTTPCall
    package var executionType: ExecutionType
    package var timeoutMs: Int
    package var maxRetries: Int
    package var retryInitialDelayMs: Int
    package var retryMaxDelayMs: Int
    package var catchUpPolicy: CatchUpPolicy
    package var catchUpWindowMs: Int
    package var overlapPolicy: OverlapPolicy
    package var priority: Int
    package var active: Bool
    package var startsAt: Timestamp?
    package var endsAt: Timestamp?
    package var tags: [String]
    /// Made by ExecuteNow: not listed.
    package var hidden: Bool
    /// Occurrences before it are never made. Set at create, resume, and change of schedule.
    package var effectiveFrom: Timestamp
    package var version: Int64
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deletedAt: Timestamp?

    package init(
        id: JobID,
        name: String? = nil,
        description: String? = nil,
        schedule: String,
        timeZone: String = "UTC",
        daylightPolicy: DaylightPolicy = .cron,
        call: HTTPCall,
        executionType: ExecutionType = .atLeastOnce,
        timeoutMs: Int = 30_000,
        maxRetries: Int = 3,
        retryInitialDelayMs: Int = 2_000,
        retryMaxDelayMs: Int = 30_000,
        catchUpPolicy: CatchUpPolicy = .latest,
        catchUpWindowMs: Int = 60_000,
        overlapPolicy: OverlapPolicy = .allow,
        priority: Int = 0,
        active: Bool = true,
        startsAt: Timestamp? = nil,
        endsAt: Timestamp? = nil,
        tags: [String] = [],
        hidden: Bool = false,
        effectiveFrom: Timestamp,
        version: Int64 = 1,
        createdAt: Timestamp,
        updatedAt: Timestamp,
        deletedAt: Timestamp? = nil
    ) {
        self.id = id
        self.name = name
        self.description = description
        self.schedule = schedule
        self.timeZone = timeZone
        self.daylightPolicy = daylightPolicy
        self.call = call
        self.executionType = executionType
        self.timeoutMs = timeoutMs
        self.maxRetries = maxRetries
        self.retryInitialDelayMs = retryInitialDelayMs
        self.retryMaxDelayMs = retryMaxDelayMs
        self.catchUpPolicy = catchUpPolicy
        self.catchUpWindowMs = catchUpWindowMs
        self.overlapPolicy = overlapPolicy
        self.priority = priority
        self.active = active
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.tags = tags
        self.hidden = hidden
        self.effectiveFrom = effectiveFrom
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
    }

    package var shard: UInt8 { id.shard }
}
