internal import CarillonCore
internal import CarillonWire
internal import HTTPTypes

/// Why a request was not done, as an RFC 9457 problem document.
struct Problem: Error, Sendable {
    var status: HTTPResponse.Status
    /// Stable: one of the protocol's codes, or one of HTTP's own matters.
    var code: String
    /// Stable too: tells cases of one code apart.
    var reason: String?
    var detail: String
    var errors: [FieldError] = []
    var headers: HTTPFields = [:]

    static let contentType = "application/problem+json"

    init(
        _ status: HTTPResponse.Status,
        _ code: String,
        _ detail: String,
        errors: [FieldError] = [],
        headers: HTTPFields = [:]
    ) {
        self.status = status
        self.code = code
        self.detail = detail
        self.errors = errors
        self.headers = headers
    }

    /// What is wrong with the request itself.
    static func invalid(_ errors: [FieldError]) -> Problem {
        Problem(ClientError(.invalidArgument, text(errors), errors: errors))
    }

    /// What is wrong, in one line.
    static func text(_ errors: [FieldError]) -> String {
        let listed = errors.prefix(3).map { "\($0.field): \($0.message)" }
        return listed.joined(separator: "; ") + (errors.count > 3 ? "; and \(errors.count - 3) more" : "")
    }

    static func invalid(_ field: String, _ message: String) -> Problem {
        invalid([FieldError(field: field, message: message)])
    }

    /// What a scheduler, or the client of the protocol, says.
    init(_ error: ClientError) {
        self.init(Problem.status(of: error), error.code.rawValue, error.text, errors: error.errors)
        reason = error.reason?.rawValue
        if status == .serviceUnavailable || status == .tooManyRequests, error.retryable {
            headers[.retryAfter] = "1"
        }
    }

    private static func status(of error: ClientError) -> HTTPResponse.Status {
        // The reasons are more exact than their codes.
        switch error.reason {
        case .versionMismatch: return .preconditionFailed
        case .overlap, .alreadyFinished, .nameTaken, .idempotencyKeyInUse: return .conflict
        case .idempotencyKeyReused: return .unprocessableContent
        case nil: break
        }
        switch error.code {
        case .invalidArgument: return .badRequest
        case .notFound: return .notFound
        case .alreadyExists, .failedPrecondition: return .conflict
        case .notLeader, .unavailable: return .serviceUnavailable
        case .resourceExhausted: return error.retryable ? .tooManyRequests : .serviceUnavailable
        case .unauthenticated: return .unauthorized
        case .unimplemented: return .notImplemented
        case .internal: return .internalServerError
        }
    }

    /// All codes, with their titles, in the order of their statuses.
    static let titles: [(code: String, title: String)] = [
        ("INVALID_ARGUMENT", "The request is wrong"),
        ("UNAUTHENTICATED", "Who asks is not known"),
        ("NOT_FOUND", "There is no such thing"),
        ("METHOD_NOT_ALLOWED", "The path has no such method"),
        ("ALREADY_EXISTS", "It would exist twice"),
        ("FAILED_PRECONDITION", "Not in this state"),
        ("PAYLOAD_TOO_LARGE", "The body is too large"),
        ("UNSUPPORTED_MEDIA_TYPE", "The body is not JSON"),
        ("RESOURCE_EXHAUSTED", "A limit is reached"),
        ("INTERNAL", "A defect of Carillon"),
        ("UNIMPLEMENTED", "Not known here"),
        ("NOT_LEADER", "The leader is being changed"),
        ("UNAVAILABLE", "Not now"),
    ]

    var title: String { Problem.titles.first { $0.code == code }?.title ?? status.reasonPhrase }

    var document: JSONValue {
        var members: [JSONValue.Member] = [
            .init("type", .string("/docs#\(code)")), .init("title", .string(title)),
            .init("status", .integer(Int64(status.code))), .init("code", .string(code)),
        ]
        if let reason { members.append(.init("reason", .string(reason))) }
        members.append(.init("detail", .string(detail)))
        let entries = errors.map { error -> JSONValue in
            ["field": .string(error.field), "message": .string(error.message)]
        }
        members.append(.init("errors", .array(entries)))
        return .object(members)
    }
}
