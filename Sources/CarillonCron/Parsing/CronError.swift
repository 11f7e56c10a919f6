/// A syntax error in a cron expression.
public struct CronError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The field with the error, such as `minute` or `day of week`; `nil` if it does not concern a single field.
    public let field: String?
    /// The position of the error: a character of the given text, counted from 1.
    public let position: Int
    /// The text at the position; at most 40 characters, empty at the end of the text.
    public let found: String
    /// A complete sentence: the position, the found text, the allowed values, and, for the syntax of another scheduler, the
    /// equivalent here.
    public let message: String
    /// The whole expression as it was probably meant, with all errors corrected. The suggestion always parses. `nil` if the meaning is
    /// unclear.
    public let suggestion: String?
    /// The replacement for the error, not yet checked.
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
