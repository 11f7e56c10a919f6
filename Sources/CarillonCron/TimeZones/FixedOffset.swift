/// A text for a fixed distance from UTC: `GMT+2`, `UTC+01:00`, `+0530`, `UTC-3`.
struct FixedOffset {
    let name: String
    /// Minutes east of UTC.
    let minutes: Int

    init?(_ name: String) {
        var rest = name.uppercased().filter { $0 != " " }[...]
        for prefix in ["ETC/GMT", "ETC/UTC", "UTC", "GMT", "UT", "Z"] where rest.hasPrefix(prefix) {
            rest = rest.dropFirst(prefix.count)
            break
        }
        guard let sign = rest.first, sign == "+" || sign == "-" || sign == "\u{2212}" else { return nil }
        let digits = rest.dropFirst().filter { $0 != ":" }
        let hasColon = digits.count < rest.count - 1
        guard (1...4).contains(digits.count), digits.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") <= 9 }),
            hasColon ? digits.count >= 3 : digits.count != 3, let number = Int(digits)
        else { return nil }
        let minutes = digits.count <= 2 ? number * 60 : number / 100 * 60 + number % 100
        guard minutes <= 26 * 60, number % 100 < 60 || digits.count <= 2 else { return nil }
        self.name = name
        // Etc/GMT names that the data does not have are reversed like the existing ones.
        let isReversed = name.uppercased().hasPrefix("ETC/GMT")
        self.minutes = (sign == "+" ? minutes : -minutes) * (isReversed ? -1 : 1)
    }

    var advice: (text: String, zones: [String]) {
        guard minutes != 0 else { return ("\"\(name)\" is UTC; write UTC", ["UTC"]) }
        var zones: [String] = []
        // The signs of these names follow POSIX: west is positive.
        if minutes % 60 == 0, (-12...14).contains(minutes / 60) {
            zones.append("Etc/GMT\(minutes > 0 ? "-" : "+")\(abs(minutes) / 60)")
        }
        if let place = Self.places[minutes] { zones.append(place) }
        let distance = "\(Wording.duration(Int64(abs(minutes)) * 60)) \(minutes > 0 ? "ahead of" : "behind") UTC"
        guard !zones.isEmpty else {
            return (
                "\"\(name)\" is an offset of \(distance), which no zone has; write a place, such as Europe/Berlin", []
            )
        }
        let reversal = zones[0].hasPrefix("Etc/") ? " (the sign is reversed in names that begin with Etc/GMT)" : ""
        return (
            "\"\(name)\" is an offset and not a zone; for a clock that is always \(distance) write \(zones[0])\(reversal)"
                + (zones.count > 1 ? ", or a place, which may have daylight saving, such as \(zones[1])" : ""),
            zones
        )
    }

    /// A place for each offset; its clocks have the offset in January 2026, or in winter.
    private static let places: [Int: String] = [
        -660: "Pacific/Pago_Pago", -600: "Pacific/Honolulu", -570: "Pacific/Marquesas",
        -540: "America/Anchorage", -480: "America/Los_Angeles", -420: "America/Denver", -360: "America/Chicago",
        -300: "America/New_York", -240: "America/Halifax", -210: "America/St_Johns", -180: "America/Sao_Paulo",
        -120: "America/Noronha", -60: "Atlantic/Azores", 60: "Europe/Berlin", 120: "Europe/Helsinki",
        180: "Africa/Nairobi", 210: "Asia/Tehran", 240: "Asia/Dubai", 270: "Asia/Kabul", 300: "Asia/Karachi",
        330: "Asia/Kolkata", 345: "Asia/Kathmandu", 360: "Asia/Dhaka", 390: "Asia/Yangon", 420: "Asia/Bangkok",
        480: "Asia/Singapore", 525: "Australia/Eucla", 540: "Asia/Tokyo", 570: "Australia/Darwin",
        600: "Australia/Brisbane", 630: "Australia/Lord_Howe", 660: "Pacific/Guadalcanal", 720: "Pacific/Auckland",
        765: "Pacific/Chatham", 780: "Pacific/Tongatapu", 840: "Pacific/Kiritimati",
    ]
}
