internal import CarillonCore

/// The exit statuses of the process, after sysexits.h. The help of `carillon` lists them.
package enum ExitStatus: Int32, Sendable, CaseIterable {
    case success = 0
    case failure = 1
    case usage = 64
    case invalidData = 65
    case notFound = 66
    case unavailable = 69
    case `internal` = 70
    case alreadyExists = 73
    case outputFailed = 74
    case conflict = 75

    init(_ code: ClientError.Code) {
        switch code {
        case .invalidArgument: self = .invalidData
        case .notFound: self = .notFound
        case .unavailable, .notLeader: self = .unavailable
        case .internal: self = .internal
        case .alreadyExists: self = .alreadyExists
        case .failedPrecondition: self = .conflict
        case .resourceExhausted, .unauthenticated, .permissionDenied, .unimplemented: self = .failure
        }
    }

    private var meaning: String {
        switch self {
        case .success: "done"
        case .failure: "the request failed for another reason"
        case .usage: "the command line is invalid"
        case .invalidData: "the request is invalid (INVALID_ARGUMENT)"
        case .notFound: "the job, execution or file does not exist (NOT_FOUND)"
        case .unavailable: "no scheduler answers, or no scheduler leads (UNAVAILABLE)"
        case .internal: "an internal error of Carillon (INTERNAL)"
        case .alreadyExists: "the name is taken (ALREADY_EXISTS)"
        case .outputFailed: "standard output could not be written"
        case .conflict: "a conflict with the current state (FAILED_PRECONDITION); see the message"
        }
    }

    /// The list for the help: one line for each status.
    static let table = allCases.map { status in
        let number = String(status.rawValue)
        return "  " + number + String(repeating: " ", count: 4 - number.count) + status.meaning
    }.joined(separator: "\n")
}

/// An error of the command itself, not of a scheduler, with the exit status.
struct CommandFailure: Error {
    var status: ExitStatus
    var text: String
}

extension ClientError {
    /// The error text for the terminal: the message, then one line for each field.
    var report: String {
        var text = "error: \(TerminalText.line(text))"
        if let reason { text += " (\(reason.rawValue))" }
        text += "\n"
        for error in errors where errors.count > 1 || !self.text.contains(error.message) {
            text += "  \(TerminalText.line(error.field)): \(TerminalText.line(error.message))\n"
        }
        if code == .unavailable, self.text.hasPrefix("no scheduler") {
            text +=
                "  Set the schedulers with --schedulers HOST:PORT, SCHEDULERS or a context; the default is 127.0.0.1:7070.\n"
        }
        return text
    }
}
