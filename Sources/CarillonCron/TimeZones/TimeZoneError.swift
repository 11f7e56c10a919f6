/// The bytes given for a time zone are no such thing.
public struct TimeZoneError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The zone's name as given.
    public let zone: String
    /// A sentence that says what is wrong with its data.
    public let message: String

    public init(zone: String, message: String) {
        self.zone = zone
        self.message = message
    }

    public var description: String { message }
}
