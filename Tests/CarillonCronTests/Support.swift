import CarillonCron
import Glibc
import Testing

/// The system's time zones, read once.
enum Zones {
    static let directory = getenv("TZDIR").map { String(cString: $0) } ?? "/usr/share/zoneinfo"
    static let berlin = load("Europe/Berlin")
    static let newYork = load("America/New_York")
    static let lordHowe = load("Australia/Lord_Howe")
    static let apia = load("Pacific/Apia")

    /// A zone of the system. A missing zone fails the test that needs it, and is UTC afterwards.
    static func load(_ name: String) -> TimeZoneRules {
        do {
            return try TimeZoneRules(name: name, tzif: read("\(directory)/\(name)"))
        } catch {
            Issue.record("\(name): \(error)")
            return .utc
        }
    }

    /// All names of the data, including links.
    static let names: [String] = {
        let text = String(decoding: read("\(directory)/tzdata.zi"), as: UTF8.self)
        return text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            if words.count > 1, words[0] == "Z" { return String(words[1]) }
            if words.count > 2, words[0] == "L" { return String(words[2]) }
            return nil
        }.sorted()
    }()

    static func read(_ path: String) -> [UInt8] {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return [] }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &part, part.count)
            guard count > 0 else { return bytes }
            bytes += part[..<count]
        }
    }

    /// A constructed zone: the first offset, then offsets from given instants on.
    static func synthetic(_ first: Int, _ changes: [(at: Int64, offset: Int)], footer: String = "") throws
        -> TimeZoneRules
    {
        try TimeZoneRules(name: "Synthetic", tzif: tzif(first, changes, footer: footer))
    }

    static func tzif(_ first: Int, _ changes: [(at: Int64, offset: Int)], footer: String = "") -> [UInt8] {
        func number(_ value: Int64, _ size: Int) -> [UInt8] {
            (0..<size).reversed().map { UInt8(truncatingIfNeeded: value >> Int64($0 * 8)) }
        }
        func header(_ counts: [Int64]) -> [UInt8] {
            Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts.flatMap { number($0, 4) }
        }
        var bytes = header([0, 0, 0, 0, 1, 4]) + number(0, 4) + [0, 0] + Array("AAA\0".utf8)
        bytes += header([0, 0, 0, Int64(changes.count), Int64(changes.count + 1), 4])
        for change in changes { bytes += number(change.at, 8) }
        for index in changes.indices { bytes.append(UInt8(index + 1)) }
        for offset in [first] + changes.map(\.offset) { bytes += number(Int64(offset), 4) + [0, 0] }
        return bytes + Array("AAA\0\n\(footer)\n".utf8)
    }
}

/// Unix seconds of `2027-03-28T01:00:00Z`, or with any other offset.
func at(_ text: String) -> Int64 {
    guard let milliseconds = RFC3339.parse(text) else {
        Issue.record("not a time: \(text)")
        return 0
    }
    return milliseconds / 1_000
}

/// The next times of an expression as text in UTC.
func times(
    _ text: String,
    after start: String,
    in zone: TimeZoneRules = .utc,
    _ policy: DaylightPolicy = .cron,
    count: Int = 3
) throws -> [String] {
    let expression = try CronExpression(text)
    return expression.times(after: at(start), in: zone, policy: policy).prefix(count).map { utc($0) }
}

func utc(_ seconds: Int64) -> String {
    RFC3339.format(milliseconds: seconds * 1_000)
}

/// Whether the expression is due at a time of UTC.
func isDue(_ text: String, _ time: String) throws -> Bool {
    try CronExpression(text).next(after: at(time) - 1, in: .utc) == at(time)
}

func parseError(_ text: String) -> CronError? {
    do throws(CronError) {
        _ = try CronExpression(text)
        return nil
    } catch {
        return error
    }
}

/// Random numbers that are determined by a seed (SplitMix64).
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }

    /// The seed of the run: CARILLON_SEED, or the built-in seed.
    static func seed(_ standard: UInt64) -> UInt64 {
        getenv("CARILLON_SEED").flatMap { UInt64(String(cString: $0)) } ?? standard
    }
}
