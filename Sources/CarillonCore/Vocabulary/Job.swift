package import CarillonCron

/// A job, a row of `jobs`: a request and its schedule. The initial values are the defaults. ``JobField`` has the
/// limits.
package struct Job: Sendable, Hashable {
    package var id: JobID
    /// Unique among jobs that are not deleted.
    package var name: String?
    package var description: String?
    /// The cron expression as the client wrote it.
    package var schedule: String
    /// A name of the IANA time zone database.
    package var timeZone = "UTC"
    package var daylightPolicy = DaylightPolicy.cron
    package var call: HTTPCall
    package var executionType = ExecutionType.atLeastOnce
    package var limits = ExecutionLimits()
    package var catchUpPolicy = CatchUpPolicy.latest
    package var overlapPolicy = OverlapPolicy.allow
    package var active = true
    package var startsAt: Timestamp?
    package var endsAt: Timestamp?
    package var tags: [String] = []
    /// Created by ExecuteNow; not listed.
    package var isAdHoc = false
    /// No occurrence before this time is inserted. Set by create, by resume and by a change of the schedule.
    package var effectiveFrom: Timestamp
    package var version: Int64
    package var createdAt: Timestamp
    package var updatedAt: Timestamp
    package var deletedAt: Timestamp?

    /// A job with the default for each setting that is not given.
    package init(
        id: JobID,
        name: String? = nil,
        description: String? = nil,
        schedule: String,
        timeZone: String? = nil,
        daylightPolicy: DaylightPolicy? = nil,
        call: HTTPCall,
        executionType: ExecutionType? = nil,
        timeoutMs: Int? = nil,
        maxRetries: Int? = nil,
        retryInitialDelayMs: Int? = nil,
        retryMaxDelayMs: Int? = nil,
        catchUpPolicy: CatchUpPolicy? = nil,
        catchUpWindowMs: Int? = nil,
        overlapPolicy: OverlapPolicy? = nil,
        priority: Int? = nil,
        active: Bool? = nil,
        startsAt: Timestamp? = nil,
        endsAt: Timestamp? = nil,
        tags: [String] = [],
        isAdHoc: Bool = false,
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
        self.call = call
        self.startsAt = startsAt
        self.endsAt = endsAt
        self.tags = tags
        self.isAdHoc = isAdHoc
        self.effectiveFrom = effectiveFrom
        self.version = version
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.deletedAt = deletedAt
        if let timeZone { self.timeZone = timeZone }
        if let daylightPolicy { self.daylightPolicy = daylightPolicy }
        if let executionType { self.executionType = executionType }
        if let timeoutMs { self.timeoutMs = timeoutMs }
        if let maxRetries { self.maxRetries = maxRetries }
        if let retryInitialDelayMs { self.retryInitialDelayMs = retryInitialDelayMs }
        if let retryMaxDelayMs { self.retryMaxDelayMs = retryMaxDelayMs }
        if let catchUpPolicy { self.catchUpPolicy = catchUpPolicy }
        if let catchUpWindowMs { self.catchUpWindowMs = catchUpWindowMs }
        if let overlapPolicy { self.overlapPolicy = overlapPolicy }
        if let priority { self.priority = priority }
        if let active { self.active = active }
    }

    /// A job with default settings only.
    package static let blank: Job = {
        let none = Timestamp(milliseconds: 0)
        return Job(
            id: JobID(.zero),
            schedule: "",
            call: HTTPCall(url: ""),
            effectiveFrom: none,
            createdAt: none,
            updatedAt: none
        )
    }()

    package var shard: UInt8 { id.shard }
}

/// The limits as `Int`.
extension Job {
    package var timeoutMs: Int {
        get { Int(limits.timeoutMs) }
        set { limits.timeoutMs = Int32(clamping: newValue) }
    }
    package var maxRetries: Int {
        get { Int(limits.maxRetries) }
        set { limits.maxRetries = Int32(clamping: newValue) }
    }
    package var retryInitialDelayMs: Int {
        get { Int(limits.retryInitialDelayMs) }
        set { limits.retryInitialDelayMs = Int32(clamping: newValue) }
    }
    package var retryMaxDelayMs: Int {
        get { Int(limits.retryMaxDelayMs) }
        set { limits.retryMaxDelayMs = Int32(clamping: newValue) }
    }
    package var catchUpWindowMs: Int {
        get { Int(limits.catchUpWindowMs) }
        set { limits.catchUpWindowMs = Int32(clamping: newValue) }
    }
    package var priority: Int {
        get { Int(limits.priority) }
        set { limits.priority = Int32(clamping: newValue) }
    }
}
