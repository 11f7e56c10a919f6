internal import ArgumentParser
internal import CarillonCron
internal import CarillonSystem

/// `--utc` and `--time-zone`: the zone in which tables show times and in which days start.
struct TimeOptions: ParsableArguments {
    @OptionGroup
    var utc: UTCOption

    @Option(
        name: .customLong("time-zone"),
        help: ArgumentHelp("Show times in this time zone instead of the local one.", valueName: "zone")
    )
    var timeZone: String?

    func validate() throws {
        if utc.utc, timeZone != nil {
            throw ValidationError("--utc and --time-zone cannot be combined; leave one of them out")
        }
    }

    func format(in world: World) throws -> TimeFormat {
        guard let timeZone else { return utc.format(in: world) }
        do throws(ZoneError) {
            return TimeFormat(zone: try world.zones.zone(named: timeZone))
        } catch {
            throw CommandFailure(status: .invalidData, text: "--time-zone: \(error.message)")
        }
    }
}

/// Only `--utc`, for commands whose `--time-zone` is the zone of a job.
struct UTCOption: ParsableArguments {
    @Flag(name: .customLong("utc"), help: "Show times in UTC instead of the local time zone.")
    var utc = false

    func format(in world: World) -> TimeFormat {
        TimeFormat(zone: utc ? .utc : world.localZone())
    }
}
