/// The data of a time zone is invalid.
public struct TimeZoneError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The zone's name as given.
    public let zone: String
    /// A sentence with the error in the data.
    public let message: String

    public init(zone: String, message: String) {
        self.zone = zone
        self.message = message
    }

    public var description: String { message }
}
