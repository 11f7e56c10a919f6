/// What an error proposes to write.
struct Proposal: Sendable, Hashable {
    /// The text before and after the part that is replaced.
    var before: String
    var after: String
    /// What to write in its place.
    var fragment: String
    /// Follows the fragment in the message; may be empty.
    var note: String
    /// The fragment is an expression of its own and not a part of one.
    var isExpression: Bool

    var text: String { before + fragment + after }
}

extension CronError {
    /// So many faults of one expression are mended.
    private static let mostFaults = 8

    /// The error as it is thrown: its proposal has been parsed, and is left out where it is no expression.
    var checked: CronError {
        guard var proposal else { return with(message + ".", suggestion: nil) }
        if proposal.isExpression {
            guard let fragment = Self.mended(proposal.fragment) else { return with(message + ".", suggestion: nil) }
            proposal.fragment = fragment
        } else if !Self.parses(proposal) {
            return with(message + ".", suggestion: nil)
        }
        let note = proposal.note.isEmpty ? "" : " " + proposal.note
        return with("\(message); write \(proposal.fragment)\(note).", suggestion: Self.mended(proposal.text))
    }

    /// Whether what is wrong with the text now, if anything, is outside of what is proposed.
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

    /// The expression with one fault after the other replaced by what its error proposes; `nil` where one proposes nothing.
    private static func mended(_ text: String) -> String? {
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
