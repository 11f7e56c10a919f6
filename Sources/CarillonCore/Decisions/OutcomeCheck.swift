/// What a worker's report may say. A report is never refused as a whole: the attempt has ended, and the worker would repeat the
/// report for ever. What contradicts itself counts as a failed attempt of which it is not certain that nothing was sent.
enum OutcomeCheck {
    /// HTTP status codes (RFC 9110, section 15).
    static let statuses = 100...599
    /// Bytes of a worker's own message that are kept.
    static let messageBytes = 1_024

    /// Corrects what contradicts itself and cuts what is too long. Returns what was wrong, `nil` when nothing was.
    static func correct(_ outcome: inout CallOutcome, responseLimit: Int) -> String? {
        if let response = outcome.response { outcome.response = clipped(response, to: responseLimit) }
        if let message = outcome.errorMessage { outcome.errorMessage = clipped(message, to: messageBytes) }
        let status = outcome.httpStatus
        let isStatus = status.map { statuses.contains($0) }
        switch outcome.kind {
        case .answered where isStatus == true: return nil
        case .answered:
            return fail(
                &outcome,
                status.map { "the worker reported an answer with HTTP status \($0); 100 to 599 are valid" }
                    ?? "the worker reported an answer without an HTTP status"
            )
        case .notSent, .notStarted:
            guard status != nil || outcome.response != nil else { return nil }
            return fail(&outcome, "the worker reported a call that was not sent, and an answer to it")
        case .failed, .cancelled, .unknown:
            guard isStatus == false else { return nil }
            outcome.httpStatus = nil
            return "the worker reported the HTTP status \(status ?? 0); 100 to 599 are valid"
        }
    }

    /// Turns a report into that of a failed attempt.
    @discardableResult
    static func fail(_ outcome: inout CallOutcome, _ why: String) -> String {
        outcome.kind = .failed
        outcome.httpStatus = nil
        outcome.errorMessage = why
        return why
    }

    /// The beginning of a text, at most so many bytes of it, cut between two characters.
    static func clipped(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let bytes = text.utf8.index(text.startIndex, offsetBy: limit)
        var end = bytes
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
