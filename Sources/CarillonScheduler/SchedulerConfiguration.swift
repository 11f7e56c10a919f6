package import CarillonCore
package import CarillonCron

/// What a scheduler process is told at its start (design § 10).
package struct SchedulerConfiguration: Sendable {
    package var dispatcher: DispatcherConfiguration
    package var defaults: JobDefaults
    package var refreshIntervalMs: Int
    package var heartbeatMs: Int
    package var maxFrameBytes: Int
    /// Days of history that are kept.
    package var retentionDays: Int
    package var version: String

    package init(
        dispatcher: DispatcherConfiguration,
        defaults: JobDefaults = JobDefaults(),
        refreshIntervalMs: Int = 60_000,
        heartbeatMs: Int = 2_000,
        maxFrameBytes: Int = 4 << 20,
        retentionDays: Int = 30,
        version: String
    ) {
        self.dispatcher = dispatcher
        self.defaults = defaults
        self.refreshIntervalMs = refreshIntervalMs
        self.heartbeatMs = heartbeatMs
        self.maxFrameBytes = maxFrameBytes
        self.retentionDays = retentionDays
        self.version = version
    }
}

/// Where the rules of time zones come from.
package protocol ZoneSource: Sendable {
    /// The rules of an IANA zone; an error's text says which names are near.
    func rules(named name: String) throws(ZoneUnknown) -> TimeZoneRules
    /// The release of the time zone data, such as `2025b`.
    var version: String { get }
    /// Reads the data again where it changed on disk; returns the names whose rules did.
    func reload() -> Set<String>
}

/// There is no such zone.
package struct ZoneUnknown: Error, Sendable, Hashable {
    package var message: String

    package init(message: String) {
        self.message = message
    }
}
