/// The validation of a worker's report. An invalid report is corrected, not rejected: the attempt has ended, and the
/// worker would send the report again indefinitely. A contradictory report counts as a failed attempt that may have
/// been sent.
enum OutcomeCheck {
    /// HTTP status codes (RFC 9110, section 15).
    static let statuses = 100...599
    /// The maximum length of a worker's message in bytes.
    static let messageBytes = 1_024

    /// Corrects contradictions and cuts long texts. Returns the problem; `nil` if there is none.
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
                status.map { "the worker reported a response with HTTP status \($0); 100 to 599 are valid" }
                    ?? "the worker reported a response without an HTTP status"
            )
        case .notSent, .notStarted:
            guard status != nil || outcome.response != nil else { return nil }
            return fail(&outcome, "the worker reported a response to a call that was not sent")
        case .failed, .cancelled, .unknown:
            guard isStatus == false else { return nil }
            outcome.httpStatus = nil
            return "the worker reported the HTTP status \(status ?? 0); 100 to 599 are valid"
        }
    }

    /// Turns a report into a failed attempt.
    @discardableResult
    static func fail(_ outcome: inout CallOutcome, _ why: String) -> String {
        outcome.kind = .failed
        outcome.httpStatus = nil
        outcome.errorMessage = why
        return why
    }

    /// The beginning of a text, at most `limit` bytes, cut between two characters.
    static func clipped(_ text: String, to limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        let bytes = text.utf8.index(text.startIndex, offsetBy: limit)
        var end = bytes
        while end.samePosition(in: text.unicodeScalars) == nil { end = text.utf8.index(before: end) }
        return String(text[..<end])
    }
}
