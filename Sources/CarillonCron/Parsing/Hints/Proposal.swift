/// The replacement that an error proposes.
struct Proposal: Sendable, Hashable {
    /// The text before and after the part that is replaced.
    var before: String
    var after: String
    /// The replacement.
    var fragment: String
    /// Text after the fragment in the message; may be empty.
    var note: String
    /// Whether the fragment is a complete expression.
    var isExpression: Bool

    var text: String { before + fragment + after }
}

extension CronError {
    /// The limit of corrected errors in one expression.
    private static let mostFaults = 8

    /// The error as thrown: its proposal has been parsed, and is omitted if it is invalid.
    var checked: CronError {
        guard var proposal else { return with(message + ".", suggestion: nil) }
        if proposal.isExpression {
            guard let fragment = Self.corrected(proposal.fragment) else { return with(message + ".", suggestion: nil) }
            proposal.fragment = fragment
        } else if !Self.parses(proposal) {
            return with(message + ".", suggestion: nil)
        }
        let note = proposal.note.isEmpty ? "" : " " + proposal.note
        return with("\(message); write \(proposal.fragment)\(note).", suggestion: Self.corrected(proposal.text))
    }

    /// Whether the text parses, or its error is outside of the replaced part.
    private static func parses(_ proposal: Proposal) -> Bool {
        do throws(CronError) {
            _ = try CronParser.parse(proposal.text)
            return true
        } catch {
            let start = proposal.before.unicodeScalars.count + 1
            return !(start..<start + proposal.fragment.unicodeScalars.count).contains(error.position)
        }
    }

    private func with(_ message: String, suggestion: String?) -> CronError {
        CronError(field: field, position: position, found: found, message: message, suggestion: suggestion)
    }

    /// The expression with all errors replaced by their proposals, one after the other; `nil` if an error has no proposal.
    private static func corrected(_ text: String) -> String? {
        var text = text
        for _ in 0..<mostFaults {
            do throws(CronError) {
                return try CronParser.parse(text).text
            } catch {
                guard let proposal = error.proposal else { return nil }
                text = proposal.text
            }
        }
        return nil
    }
}
