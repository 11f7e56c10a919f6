/// How far clocks are from UTC, and what they call that.
public struct ZoneOffset: Sendable, Hashable {
    /// Seconds east of UTC.
    public let seconds: Int
    /// Such as `CET` or `+03`.
    public let abbreviation: String
    /// Whether the zone's data calls it daylight saving time.
    public let isDaylight: Bool

    public init(seconds: Int, abbreviation: String, isDaylight: Bool) {
        self.seconds = seconds
        self.abbreviation = abbreviation
        self.isDaylight = isDaylight
    }
}

/// An instant from which on another kind of offset holds.
struct ZoneChange: Sendable, Hashable {
    /// Unix seconds.
    var at: Int64
    /// Index of the kind.
    var kind: Int
}

/// What a TZif file says.
struct TZifData: Sendable {
    /// The kind before the first change.
    var first: Int
    /// Ascending.
    var changes: [ZoneChange]
    var kinds: [ZoneOffset]
    /// The rule after the last change of the file; its changes up to 2200 are among `changes`.
    var footer: PosixRule?
}
