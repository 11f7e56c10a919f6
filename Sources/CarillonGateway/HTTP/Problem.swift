internal import CarillonCore
internal import CarillonJSON
internal import HTTPTypes

/// The reason why a request failed, as an RFC 9457 problem document.
struct Problem: Error, Sendable {
    var status: HTTPResponse.Status
    /// Stable: a code of the RPC protocol, or a code for an HTTP error that the protocol does not have.
    var code: String
    /// Stable: distinguishes the cases of one code.
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

    /// The problem for invalid fields, parameters or headers.
    static func invalid(_ errors: [FieldError]) -> Problem {
        Problem(ClientError(.invalidArgument, text(errors), errors: errors))
    }

    /// All field errors in one line.
    static func text(_ errors: [FieldError]) -> String {
        let listed = errors.prefix(3).map { "\($0.field): \($0.message)" }
        let atLeast = errors.count < ClientError.maxFieldErrors ? "" : "at least "
        return listed.joined(separator: "; ") + (errors.count > 3 ? "; and \(atLeast)\(errors.count - 3) more" : "")
    }

    static func invalid(_ field: String, _ message: String) -> Problem {
        invalid([FieldError(field: field, message: message)])
    }

    /// The problem for an error of a scheduler or of the RPC client.
    init(_ error: ClientError) {
        self.init(Problem.status(of: error), error.code.rawValue, error.text, errors: error.errors)
        reason = error.reason?.rawValue
        if status == .serviceUnavailable || status == .tooManyRequests, error.retryable {
            headers[.retryAfter] = "1"
        }
    }

    private static func status(of error: ClientError) -> HTTPResponse.Status {
        // A reason determines the status more precisely than its code.
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

    /// The documentation of a problem code.
    struct Meaning: Sendable {
        var code: String
        var title: String
        var statuses: String
        var details: String
    }

    /// All codes, ordered by status.
    static let meanings: [Meaning] = [
        Meaning(
            code: "INVALID_ARGUMENT",
            title: "Invalid request",
            statuses: "400",
            details: "`errors` lists the invalid fields, parameters or headers, and says what is allowed."
        ),
        Meaning(
            code: "UNAUTHENTICATED",
            title: "Not authenticated",
            statuses: "401",
            details: "Reserved for access tokens; requests are not authenticated yet."
        ),
        Meaning(
            code: "PERMISSION_DENIED",
            title: "Permission denied",
            statuses: "403",
            details:
                "The caller is authenticated but may not make this request. Nothing was changed. Reserved for access tokens."
        ),
        Meaning(
            code: "FOREIGN_ORIGIN",
            title: "Cross-origin request refused",
            statuses: "403",
            details:
                "The Origin or Sec-Fetch-Site header shows that a web page of another origin sent the request. Nothing was changed; see PUBLIC_URL and TRUSTED_PROXIES."
        ),
        Meaning(
            code: "NOT_FOUND",
            title: "Not found",
            statuses: "404",
            details: "The path, job or execution does not exist; it may have been deleted."
        ),
        Meaning(
            code: "METHOD_NOT_ALLOWED",
            title: "Method not allowed",
            statuses: "405",
            details: "The `Allow` header lists the methods of the path."
        ),
        Meaning(
            code: "ALREADY_EXISTS",
            title: "Already exists",
            statuses: "409, 422",
            details: "`reason` is NAME_TAKEN (409), or IDEMPOTENCY_KEY_REUSED (422)."
        ),
        Meaning(
            code: "FAILED_PRECONDITION",
            title: "Conflict with the current state",
            statuses: "409, 412, 422",
            details:
                "`reason` is VERSION_MISMATCH (412), OVERLAP, ALREADY_FINISHED or IDEMPOTENCY_KEY_IN_USE (409), or IDEMPOTENCY_KEY_REUSED (422)."
        ),
        Meaning(
            code: "PAYLOAD_TOO_LARGE",
            title: "Body too large",
            statuses: "413",
            details: "The limit is 1 MiB."
        ),
        Meaning(
            code: "UNSUPPORTED_MEDIA_TYPE",
            title: "Unsupported content type",
            statuses: "415",
            details:
                "The Content-Type of a body must be application/json, and the body must not be compressed. Requests without a body must not have the content type of an HTML form."
        ),
        Meaning(
            code: "HOST_NOT_ALLOWED",
            title: "Host not allowed",
            statuses: "421",
            details:
                "The Host header must be an IP address, localhost, the machine's name, the host of PUBLIC_URL or a name in ALLOWED_HOSTS."
        ),
        Meaning(
            code: "RESOURCE_EXHAUSTED",
            title: "Limit reached",
            statuses: "429, 503",
            details: "With a `Retry-After` header, wait and repeat the request. Without one, request less."
        ),
        Meaning(
            code: "INTERNAL",
            title: "Internal error",
            statuses: "500",
            details: "A defect of Carillon; please report it."
        ),
        Meaning(
            code: "UNIMPLEMENTED",
            title: "Not implemented",
            statuses: "501",
            details: "The scheduler is older than this gateway and does not support the request."
        ),
        Meaning(
            code: "NOT_LEADER",
            title: "No leader at the moment",
            statuses: "503",
            details: "A take-over is in progress. Nothing was changed; repeat the request."
        ),
        Meaning(
            code: "UNAVAILABLE",
            title: "Unavailable",
            statuses: "503",
            details:
                "No scheduler answered in time. Reads and requests with an Idempotency-Key can be repeated safely; other requests may or may not have been executed."
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
