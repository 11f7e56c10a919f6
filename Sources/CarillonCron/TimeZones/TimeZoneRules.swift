/// The rules of one time zone: the UTC offset of its clocks at every instant.
///
/// Created from the bytes of a TZif file (RFC 9636, versions 1 to 4). Transitions of the POSIX rule in the file's footer are computed
/// once, up to the end of the year 2200; the rule itself applies afterwards.
public final class TimeZoneRules: Sendable {
    /// A stretch of time with one offset from UTC. Neighbours differ in their offsets.
    struct Span: Sendable, Hashable {
        /// Unix seconds at which it begins.
        var start: Int64
        /// Seconds east of UTC.
        var offset: Int64
        /// The highest time that the clock has shown before this span, in local seconds (not included).
        var peak: Int64
    }

    /// The largest accepted offset in seconds (RFC 9636 has -25 to +26 hours).
    static let largestOffset: Int64 = 26 * 3_600

    /// The IANA name, such as `Europe/Berlin`.
    public let name: String

    let changes: [ZoneChange]
    let kinds: [ZoneOffset]
    let footer: PosixRule?
    /// Ends with a sentinel that is not a span.
    private let spans: [Span]
    /// The span at the start of every stretch of 2^24 seconds (194 days), which replaces a search.
    private let index: [UInt16]
    /// The offset of a zone that never changed it.
    let constantOffset: Int64?

    /// Coordinated Universal Time.
    public static let utc = TimeZoneRules(name: "UTC", fixedOffset: 0, abbreviation: "UTC")

    /// Reads a compiled time zone.
    ///
    /// - Parameters:
    ///   - name: The name under which the zone is known; it is not checked.
    ///   - tzif: The contents of a TZif file.
    /// - Throws: `TimeZoneError` if the bytes are not a TZif file, are truncated or inconsistent, or count leap seconds
    ///   (the files under `right/`, whose seconds are not Unix seconds).
    public convenience init(name: String, tzif: [UInt8]) throws(TimeZoneError) {
        self.init(name: name, data: try TZifReader.read(tzif, zone: name))
    }

    /// A zone whose offset never changes.
    ///
    /// - Parameters:
    ///   - fixedOffset: Seconds east of UTC, clamped to 26 hours either way.
    ///   - abbreviation: The abbreviation of the time.
    public convenience init(name: String, fixedOffset: Int, abbreviation: String) {
        let bound = Int(Self.largestOffset)
        let kind = ZoneOffset(
            seconds: max(-bound, min(bound, fixedOffset)),
            abbreviation: abbreviation,
            isDaylight: false
        )
        self.init(name: name, data: TZifData(first: 0, changes: [], kinds: [kind], footer: nil))
    }

    init(name: String, data: TZifData) {
        self.name = name
        kinds = data.kinds
        footer = data.footer
        changes = [ZoneChange(at: .min, kind: data.first)] + data.changes

        // Far enough from the ends of Int64 that an offset can be added to it.
        let distant = Int64.max / 2
        var spans: [Span] = []
        for change in changes {
            let offset = Int64(data.kinds[change.kind].seconds)
            if let last = spans.last {
                guard last.offset != offset else { continue }
                spans.append(Span(start: change.at, offset: offset, peak: max(last.peak, change.at + last.offset)))
            } else {
                spans.append(Span(start: -distant, offset: offset, peak: -distant))
            }
        }
        constantOffset = spans.count == 1 ? spans[0].offset : nil
        spans.append(Span(start: distant, offset: spans[spans.count - 1].offset, peak: distant))

        var index: [UInt16] = []
        var current = 0
        for stretch in 0...Self.stretch(of: FieldSchedule.end + 2 * Self.largestOffset) {
            let start = Int64(stretch - 1) << 24
            while spans[current + 1].start <= start { current += 1 }
            index.append(UInt16(current))
        }
        self.spans = spans
        self.index = index
    }

    /// The offset of the zone's clocks at an instant.
    ///
    /// - Parameter seconds: Unix seconds; any value.
    public func offset(at seconds: Int64) -> ZoneOffset {
        if let footer, seconds > FieldSchedule.end + 366 * 86_400 { return footer.offset(at: seconds) }
        var lower = 0
        var upper = changes.count
        while upper - lower > 1 {
            let middle = (lower + upper) / 2
            if changes[middle].at <= seconds { lower = middle } else { upper = middle }
        }
        return kinds[changes[lower].kind]
    }

    /// The local time at an instant.
    public func civilTime(at seconds: Int64) -> CivilTime {
        CivilTime(seconds: seconds, offset: offset(at: seconds).seconds)
    }

    /// The first instant after `seconds` at which the offset changes; `nil` if it does not before the year 2201.
    public func transition(after seconds: Int64) -> Int64? {
        spans.dropLast().first { $0.start > seconds }?.start
    }
}

/// Support for the search for times. Instants are within 26 hours of the years 1970 to 2199.
extension TimeZoneRules {
    @inline(__always)
    private static func stretch(of seconds: Int64) -> Int {
        Int(truncatingIfNeeded: (seconds &+ 1 << 24) >> 24)
    }

    var spanCount: Int { spans.count - 1 }

    @inline(__always)
    func offset(ofSpan index: Int) -> Int64 { spans[index].offset }
    @inline(__always)
    func start(ofSpan index: Int) -> Int64 { spans[index].start }
    @inline(__always)
    func end(ofSpan index: Int) -> Int64 { spans[index + 1].start }

    @inline(__always)
    func span(at seconds: Int64) -> Int {
        var found = Int(index[Self.stretch(of: seconds)])
        while spans[found + 1].start <= seconds { found += 1 }
        return found
    }

    /// The highest local time that the clock has shown up to and at `seconds`, which lie in `span`.
    @inline(__always)
    func highest(at seconds: Int64, span: Int) -> Int64 {
        max(spans[span].peak &- 1, seconds &+ spans[span].offset)
    }

    /// The first instant at which the clock shows `local` or a later time; `near` is the first span to try.
    @inline(__always)
    func instant(reaching local: Int64, near: Int) -> Int64 {
        var found = near
        if spans[found].peak > local || spans[found + 1].peak <= local {
            found = span(at: local &- spans[near].offset)
            while spans[found].peak > local { found -= 1 }
            while spans[found + 1].peak <= local { found += 1 }
        }
        return max(spans[found].start, local &- spans[found].offset)
    }

    /// The stretch around an instant in which the clock shows only times that it has shown in one earlier span; `nil` if the time at
    /// this instant is shown for the first time.
    func repetition(at seconds: Int64) -> Range<Int64>? {
        let current = span(at: seconds)
        let offset = spans[current].offset
        let local = seconds + offset
        var earlier = current
        // A span has shown `local` only if its peak is above `local`.
        while spans[earlier].peak > local {
            earlier -= 1
            let lower = spans[earlier].start + spans[earlier].offset
            let upper = spans[earlier + 1].start + spans[earlier].offset
            if lower <= local, local < upper {
                return max(lower - offset, spans[current].start)..<min(upper - offset, spans[current + 1].start)
            }
        }
        return nil
    }
}
