internal import CarillonCore
internal import CarillonJSON
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
        let atLeast = errors.count < ClientError.maxFieldErrors ? "" : "at least "
        return listed.joined(separator: "; ") + (errors.count > 3 ? "; and \(atLeast)\(errors.count - 3) more" : "")
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
        case .workerNameInUse, .outcomeUnknown, nil: break
        }
        switch error.code {
        case .invalidArgument: return .badRequest
        case .notFound: return .notFound
        case .alreadyExists, .failedPrecondition: return .conflict
        case .notLeader, .unavailable: return .serviceUnavailable
        case .resourceExhausted: return error.retryable ? .tooManyRequests : .serviceUnavailable
        case .unauthenticated: return .unauthorized
        case .permissionDenied: return .forbidden
        case .unimplemented: return .notImplemented
        case .internal: return .internalServerError
        }
    }

    /// What a code says, wherever it comes.
    struct Meaning: Sendable {
        var code: String
        var title: String
        var statuses: String
        var details: String
    }

    /// All codes, in the order of their statuses.
    static let meanings: [Meaning] = [
        Meaning(
            code: "INVALID_ARGUMENT",
            title: "The request is wrong",
            statuses: "400",
            details: "`errors` names the fields, parameters or headers, and says what would be right."
        ),
        Meaning(
            code: "UNAUTHENTICATED",
            title: "Who asks is not known",
            statuses: "401",
            details: "Reserved; nobody is asked yet."
        ),
        Meaning(
            code: "PERMISSION_DENIED",
            title: "Permission denied",
            statuses: "403",
            details:
                "The caller is known and has no right to this request. Nothing was done. Reserved for access tokens."
        ),
        Meaning(
            code: "FOREIGN_ORIGIN",
            title: "The request comes from another web page",
            statuses: "403",
            details:
                "Its Origin is not that of this gateway, or Sec-Fetch-Site says so. Nothing was done; see PUBLIC_URL and TRUSTED_PROXIES."
        ),
        Meaning(
            code: "NOT_FOUND",
            title: "There is no such thing",
            statuses: "404",
            details: "No such path, job or execution; what was there may have been deleted."
        ),
        Meaning(
            code: "METHOD_NOT_ALLOWED",
            title: "The path has no such method",
            statuses: "405",
            details: "`Allow` has those that it has."
        ),
        Meaning(
            code: "ALREADY_EXISTS",
            title: "It would exist twice",
            statuses: "409, 422",
            details: "`reason` is NAME_TAKEN (409), or IDEMPOTENCY_KEY_REUSED (422)."
        ),
        Meaning(
            code: "FAILED_PRECONDITION",
            title: "Not in this state",
            statuses: "409, 412, 422",
            details:
                "`reason` is VERSION_MISMATCH (412), OVERLAP, ALREADY_FINISHED or IDEMPOTENCY_KEY_IN_USE (409), or IDEMPOTENCY_KEY_REUSED (422)."
        ),
        Meaning(
            code: "PAYLOAD_TOO_LARGE",
            title: "The body is too large",
            statuses: "413",
            details: "At most 1 MiB is read."
        ),
        Meaning(
            code: "UNSUPPORTED_MEDIA_TYPE",
            title: "The body is not JSON",
            statuses: "415",
            details:
                "A body's Content-Type must be application/json, and it must not be compressed. Without a body, the types of HTML forms are refused."
        ),
        Meaning(
            code: "HOST_NOT_ALLOWED",
            title: "Not a name of this gateway",
            statuses: "421",
            details:
                "The Host header has a name that is not in ALLOWED_HOSTS. IP addresses, localhost, the machine's name and the host of PUBLIC_URL are allowed too."
        ),
        Meaning(
            code: "RESOURCE_EXHAUSTED",
            title: "A limit is reached",
            statuses: "429, 503",
            details: "With `Retry-After` where waiting helps; otherwise ask for less."
        ),
        Meaning(
            code: "INTERNAL",
            title: "A defect of Carillon",
            statuses: "500",
            details: "Please report it."
        ),
        Meaning(
            code: "UNIMPLEMENTED",
            title: "Not known here",
            statuses: "501",
            details: "The scheduler is older than this gateway."
        ),
        Meaning(
            code: "NOT_LEADER",
            title: "The leader is being changed",
            statuses: "503",
            details: "Nothing was done; repeat it."
        ),
        Meaning(
            code: "UNAVAILABLE",
            title: "Not now",
            statuses: "503",
            details:
                "No scheduler answered in time. Reads, and requests with an Idempotency-Key, can be repeated without harm; of others it may not be known whether they were done."
        ),
    ]

    var title: String { Problem.meanings.first { $0.code == code }?.title ?? status.reasonPhrase }

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
