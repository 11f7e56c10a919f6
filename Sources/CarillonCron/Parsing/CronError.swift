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
    /// The whole expression as it was probably meant, with every fault mended. It always parses. `nil` where the meaning is not
    /// clear.
    public let suggestion: String?
    /// What is to be written in place of the fault, until it has been checked.
    let proposal: Proposal?

    public init(field: String?, position: Int, found: String, message: String, suggestion: String? = nil) {
        self.init(
            field: field,
            position: position,
            found: found,
            message: message,
            suggestion: suggestion,
            proposal: nil
        )
    }

    init(
        field: String?,
        position: Int,
        found: String,
        message: String,
        suggestion: String? = nil,
        proposal: Proposal?
    ) {
        self.field = field
        self.position = position
        self.found = found
        self.message = message
        self.suggestion = suggestion
        self.proposal = proposal
    }

    public var description: String { message }
}
