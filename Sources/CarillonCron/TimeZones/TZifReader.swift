/// Reads compiled time zones: TZif, RFC 9636, versions 1 to 4.
struct TZifReader {
    private let bytes: [UInt8]
    private let zone: String
    private var position = 0

    private struct Header {
        var version: UInt8
        var utCount, standardCount, leapCount, timeCount, kindCount, characterCount: Int
    }

    /// - Throws: an error if the bytes are not TZif, are truncated, are inconsistent or count leap seconds.
    static func read(_ bytes: [UInt8], zone: String) throws(TimeZoneError) -> TZifData {
        var reader = TZifReader(bytes: bytes, zone: zone)
        return try reader.data()
    }

    private init(bytes: [UInt8], zone: String) {
        self.bytes = bytes
        self.zone = zone
    }

    private mutating func data() throws(TimeZoneError) -> TZifData {
        var header = try self.header()
        guard header.version >= UInt8(ascii: "2") else { return try block(header, timeSize: 4, hasFooter: false) }
        // The first block has 32-bit values; the second has the same data with 64 bits.
        let times = header.timeCount * 5
        let kinds = header.kindCount * 6 + header.characterCount
        let rest = header.leapCount * 8 + header.standardCount + header.utCount
        try skip(times + kinds + rest)
        header = try self.header()
        return try block(header, timeSize: 8, hasFooter: true)
    }

    private mutating func header() throws(TimeZoneError) -> Header {
        guard bytes.count >= position + 44, bytes[position..<position + 4].elementsEqual("TZif".utf8) else {
            throw failure("is not a compiled time zone: it does not begin with a TZif header")
        }
        let version = bytes[position + 4]
        position += 20
        var counts: [Int] = []
        for _ in 0..<6 { counts.append(Int(try integer(4))) }
        // Real files have a few hundred of each; larger counts are refused.
        guard counts.allSatisfy({ (0...65_535).contains($0) }) else {
            throw failure("has impossible counts in its header")
        }
        return Header(
            version: version,
            utCount: counts[0],
            standardCount: counts[1],
            leapCount: counts[2],
            timeCount: counts[3],
            kindCount: counts[4],
            characterCount: counts[5]
        )
    }

    private mutating func block(_ header: Header, timeSize: Int, hasFooter: Bool) throws(TimeZoneError) -> TZifData {
        guard header.leapCount == 0 else {
            throw failure("counts leap seconds, which Unix time does not have: use the zone without \"right/\"")
        }
        guard header.kindCount > 0, header.kindCount <= 256 else { throw failure("has no local time types") }
        var times: [Int64] = []
        for _ in 0..<header.timeCount {
            // Nothing before the Big Bang (RFC 9636, section 3.2), nor as far away in the future.
            times.append(max(-1 << 59, min(1 << 59, try integer(timeSize))))
        }
        for (left, right) in zip(times, times.dropFirst()) where left >= right {
            throw failure("has transitions that do not ascend")
        }
        var changes: [ZoneChange] = []
        for time in times {
            let kind = Int(try byte())
            guard kind < header.kindCount else {
                throw failure("has a transition to a local time type that it does not have")
            }
            changes.append(ZoneChange(at: time, kind: kind))
        }
        var kinds = try self.kinds(header)
        try skip(header.standardCount + header.utCount)
        var rule: PosixRule?
        if hasFooter, let text = try footer() {
            guard let parsed = PosixRule(text) else {
                throw failure("has a rule for the future that cannot be read: \(text)")
            }
            rule = parsed
            extend(&changes, &kinds, by: parsed)
        }
        return TZifData(first: 0, changes: changes, kinds: kinds, footer: rule)
    }

    private mutating func kinds(_ header: Header) throws(TimeZoneError) -> [ZoneOffset] {
        var parts: [(offset: Int64, isDaylight: Bool, name: Int)] = []
        for _ in 0..<header.kindCount {
            let offset = try integer(4)
            guard abs(offset) < TimeZoneRules.largestOffset else {
                throw failure("has an offset of more than 26 hours")
            }
            parts.append((offset, try byte() != 0, Int(try byte())))
        }
        let characters = position
        try skip(header.characterCount)
        var kinds: [ZoneOffset] = []
        for part in parts {
            let rest = part.name < header.characterCount ? bytes[characters + part.name..<position] : []
            let name = String(decoding: rest.prefix { $0 != 0 }, as: UTF8.self)
            kinds.append(ZoneOffset(seconds: Int(part.offset), abbreviation: name, isDaylight: part.isDaylight))
        }
        return kinds
    }

    /// The text between two newlines at the end; `nil` if it is empty.
    private mutating func footer() throws(TimeZoneError) -> String? {
        guard position < bytes.count, bytes[position] == UInt8(ascii: "\n") else {
            throw failure("ends before its footer")
        }
        guard let end = bytes[(position + 1)...].firstIndex(of: UInt8(ascii: "\n")) else {
            throw failure("ends inside its footer")
        }
        return end == position + 1 ? nil : String(decoding: bytes[position + 1..<end], as: UTF8.self)
    }

    /// Adds the rule's changes after the last change of the file, up to the year 2200.
    private func extend(_ changes: inout [ZoneChange], _ kinds: inout [ZoneOffset], by rule: PosixRule) {
        func kind(_ offset: ZoneOffset) -> Int {
            if let index = kinds.firstIndex(of: offset) { return index }
            kinds.append(offset)
            return kinds.count - 1
        }
        let last = changes.last?.at
        // A file without any transition is its rule alone.
        let startYear = last.map { max(1900, CivilTime(seconds: $0).year - 1) } ?? 1900
        if let last {
            // The rule applies from the last change on. A valid file gives the same offset for that instant (RFC 9636, section 3.3).
            changes[changes.count - 1].kind = kind(rule.offset(at: last))
        } else {
            changes.append(ZoneChange(at: -1 << 59, kind: kind(rule.standard)))
        }
        guard startYear <= 2200 else { return }
        for (at, offset) in rule.transitions(years: startYear...2200) where at > last ?? .min {
            changes.append(ZoneChange(at: at, kind: kind(offset)))
        }
    }

    // MARK: Bytes

    private mutating func byte() throws(TimeZoneError) -> UInt8 {
        guard position < bytes.count else { throw failure("is cut off") }
        defer { position += 1 }
        return bytes[position]
    }

    /// A signed number, most significant byte first.
    private mutating func integer(_ size: Int) throws(TimeZoneError) -> Int64 {
        guard position + size <= bytes.count else { throw failure("is cut off") }
        var value: UInt64 = bytes[position] & 0x80 == 0 ? 0 : .max
        for byte in bytes[position..<position + size] { value = value << 8 | UInt64(byte) }
        position += size
        return Int64(bitPattern: value)
    }

    private mutating func skip(_ count: Int) throws(TimeZoneError) {
        guard position + count <= bytes.count else { throw failure("is cut off") }
        position += count
    }

    private func failure(_ text: String) -> TimeZoneError {
        TimeZoneError(zone: zone, message: "The data of the time zone \(zone) \(text).")
    }
}
