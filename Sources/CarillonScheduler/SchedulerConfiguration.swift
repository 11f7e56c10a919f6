package import CarillonCore
package import CarillonCron

/// The settings of a scheduler process.
package struct SchedulerConfiguration: Sendable {
    package var dispatcher: DispatcherConfiguration
    package var defaults: JobDefaults
    package var refreshIntervalMs: Int
    package var heartbeatMs: Int
    package var maxFrameBytes: Int
    /// Days of history to keep.
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

/// Provides the rules of time zones.
package protocol ZoneSource: Sendable {
    /// The rules of an IANA zone. The error for an unknown name suggests similar names.
    func rules(named name: String) throws(ZoneUnknown) -> TimeZoneRules
    /// The release of the time zone data, such as `2025b`.
    var version: String { get }
    /// Reads time zone files that changed on disk; returns the names of zones with changed rules.
    func reload() -> Set<String>
}

/// The name is not a known time zone.
package struct ZoneUnknown: Error, Sendable, Hashable {
    package var message: String

    package init(message: String) {
        self.message = message
    }
}
