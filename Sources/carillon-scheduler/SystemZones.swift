internal import CarillonCron
internal import CarillonScheduler
internal import CarillonSystem

/// The system's time zone files as a `ZoneSource`.
struct SystemZones: ZoneSource {
    private let directory = ZoneDirectory()

    var version: String { directory.version }

    func rules(named name: String) throws(ZoneUnknown) -> TimeZoneRules {
        do throws(ZoneError) {
            return try directory.zone(named: name)
        } catch {
            throw ZoneUnknown(message: error.message)
        }
    }

    func reload() -> Set<String> { directory.reload() }
}
