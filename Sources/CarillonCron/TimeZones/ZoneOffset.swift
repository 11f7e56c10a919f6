/// A UTC offset and its abbreviation.
public struct ZoneOffset: Sendable, Hashable {
    /// Seconds east of UTC.
    public let seconds: Int
    /// The abbreviation, such as `CET` or `+03`.
    public let abbreviation: String
    /// Whether the zone's data marks it as daylight saving time.
    public let isDaylight: Bool

    public init(seconds: Int, abbreviation: String, isDaylight: Bool) {
        self.seconds = seconds
        self.abbreviation = abbreviation
        self.isDaylight = isDaylight
    }
}

/// An instant at which another kind of offset starts.
struct ZoneChange: Sendable, Hashable {
    /// Unix seconds.
    var at: Int64
    /// Index of the kind.
    var kind: Int
}

/// The contents of a TZif file.
struct TZifData: Sendable {
    /// The kind before the first change.
    var first: Int
    /// Ascending.
    var changes: [ZoneChange]
    var kinds: [ZoneOffset]
    /// The rule after the last change of the file; its changes up to 2200 are among `changes`.
    var footer: PosixRule?
}
