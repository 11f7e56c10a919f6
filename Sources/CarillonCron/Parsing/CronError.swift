/// Why a text is not a cron expression.
public struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field in which it went wrong, such as `minute` or `day of week`; `nil` where it is not about one field.
    public let field: String?
    /// The character at which it went wrong, counted from 1 in the text as it was given.
    public let position: Int
    /// What stands there; at most 40 characters, empty at the end of the text.
    public let found: String
    /// A whole sentence: where it went wrong, what was found, what is allowed, and, where it is the custom of another
    /// scheduler, how to write it here.
    public let message: String

    public init(field: String?, position: Int, found: String, message: String) {
        self.field = field
        self.position = position
        self.found = found
        self.message = message
    }

    public var description: String { message }
}
