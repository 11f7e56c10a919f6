/// The oracle's definition of a time zone: its offsets around the simulated time, as constants. The engine reads the
/// system's zone files.
struct NaiveZone {
    var name: String
    /// The offset from UTC in seconds, and the Unix second from which it holds; ascending.
    var spans: [(from: Int64, offset: Int64)]

    static let all = [utc, kathmandu, berlin, lordHowe]

    static let utc = NaiveZone(name: "UTC", spans: [(.min, 0)])
    static let kathmandu = NaiveZone(name: "Asia/Kathmandu", spans: [(.min, 20_700)])
    /// Summer time of 2026 to winter time of 2027/28.
    static let berlin = NaiveZone(
        name: "Europe/Berlin",
        spans: [
            (1_774_746_000, 7_200), (1_792_890_000, 3_600), (1_806_195_600, 7_200), (1_824_944_400, 3_600),
        ]
    )
    /// This zone's daylight saving time is half an hour. From the winter of 2026 on.
    static let lordHowe = NaiveZone(
        name: "Australia/Lord_Howe",
        spans: [
            (1_775_314_800, 37_800), (1_791_041_400, 39_600), (1_806_764_400, 37_800), (1_822_491_000, 39_600),
        ]
    )

    static func named(_ name: String) -> NaiveZone { all.first { $0.name == name } ?? utc }

    /// The local time in seconds.
    func local(_ second: Int64) -> Int64 {
        second + (spans.last { $0.from <= second } ?? spans[0]).offset
    }

    /// Whether local clocks showed `local` before `second`.
    func hasShown(_ local: Int64, before second: Int64) -> Bool {
        for (index, span) in spans.enumerated() where span.from < second {
            let instant = local - span.offset
            let end = index + 1 < spans.count ? spans[index + 1].from : .max
            if instant >= span.from, instant < end, instant < second { return true }
        }
        return false
    }

    /// The latest local time before `second`.
    func highest(before second: Int64) -> Int64 {
        var highest = local(second - 1)
        for (index, span) in spans.enumerated() where index + 1 < spans.count && spans[index + 1].from <= second {
            highest = max(highest, spans[index + 1].from - 1 + span.offset)
        }
        return highest
    }
}
