internal import CarillonCore
internal import CarillonJSON
internal import HTTPTypes

/// The error responses of the OpenAPI document.
enum ErrorResponses {
    /// The names and statuses of a route's errors, ordered by status.
    static func names(of route: Route) -> [(name: String, status: String)] {
        var names: [String] = []
        for error in route.errors {
            switch error {
            case .invalid: names.append("Invalid")
            case .unknownJob: names.append("UnknownJob")
            case .unknownExecution: names.append("UnknownExecution")
            case .conflict: names.append("Conflict")
            case .precondition: names.append("PreconditionFailed")
            case .reusedKey: names.append("KeyReused")
            }
        }
        if route.takesBody { names.append("TooLarge") }
        if OriginGuard.isChange(route.method) { names += ["ForeignOrigin", "NotJSON"] }
        // The probes accept any host name.
        if route.path != "/livez", route.path != "/readyz" { names.append("WrongHost") }
        if !names.contains("Invalid") { names.append("Invalid") }
        if route.tag != .system { names += ["TooMany", "Defect", "Unimplemented", "Unavailable"] }
        return names.compactMap { name in
            all.first { $0.name == name }.map { (name, String($0.problem.status.code)) }
        }
        .sorted { $0.1 < $1.1 }
    }

    /// All error responses by name, ordered by status.
    static let all: [(name: String, problem: Problem, response: JSONValue)] = [
        named(
            "Invalid",
            "The path, a parameter, a header or the body is invalid; `errors` lists the invalid fields.",
            Problem(
                ClientError(
                    .invalidArgument,
                    "api_url has the scheme 'ftp'; only http and https are supported",
                    errors: [
                        FieldError(field: "api_url", message: "has the scheme 'ftp'; only http and https are supported")
                    ]
                )
            )
        ),
        named(
            "ForeignOrigin",
            "A web page of another origin sent the request.",
            Problem(
                .forbidden,
                "FOREIGN_ORIGIN",
                "the browser says Sec-Fetch-Site: cross-site: another page sent the request"
            )
        ),
        named(
            "UnknownJob",
            "The job does not exist.",
            Problem(ClientError(.notFound, "there is no job \(Examples.jobID); it may have been deleted"))
        ),
        named(
            "UnknownExecution",
            "The job or the execution does not exist.",
            Problem(ClientError(.notFound, "job \(Examples.jobID) has no execution yet"))
        ),
        named(
            "Conflict",
            "The request conflicts with the current state: the name is taken, an execution is open under overlap_policy SKIP, the execution has already ended, or the first request with the Idempotency-Key is still in progress.",
            Problem(
                ClientError(
                    .failedPrecondition,
                    "the execution has already ended as SUCCESS; only an open or future execution can be cancelled",
                    reason: .alreadyFinished
                )
            )
        ),
        named("PreconditionFailed", "The job's version does not match If-Match.", Condition.mismatch(2)),
        named(
            "TooLarge",
            "The body is larger than 1 MiB.",
            Problem(.contentTooLarge, "PAYLOAD_TOO_LARGE", "the body is larger than 1 MiB (1048576 bytes)")
        ),
        named(
            "NotJSON",
            "The Content-Type of the body is not application/json, or a request without a body has the content type of an HTML form.",
            Problem(
                .unsupportedMediaType,
                "UNSUPPORTED_MEDIA_TYPE",
                "the body has the Content-Type text/plain; it must be application/json, in curl: -H 'Content-Type: application/json'"
            )
        ),
        named(
            "WrongHost",
            "The name in the Host header is not allowed.",
            Problem(
                .misdirectedRequest,
                "HOST_NOT_ALLOWED",
                "the Host header is jobs.example.com, which is not an allowed name of this gateway. Allowed are IP addresses, localhost, the machine's name, the host of PUBLIC_URL and the names in ALLOWED_HOSTS; to allow this name, start the gateway with ALLOWED_HOSTS=jobs.example.com"
            )
        ),
        named(
            "KeyReused",
            "The Idempotency-Key was used for another request.",
            Problem(
                ClientError(
                    .alreadyExists,
                    "this idempotency key was used for another request; use a new key for each request",
                    reason: .idempotencyKeyReused
                )
            )
        ),
        named(
            "TooMany",
            "A limit is reached; try again later.",
            Problem(ClientError(.resourceExhausted, "too many requests are waiting; try again"))
        ),
        named(
            "Defect",
            "A defect of Carillon.",
            Problem(ClientError(.internal, "the scheduler produced a result that does not match the request"))
        ),
        named(
            "Unimplemented",
            "The scheduler is too old for this request.",
            Problem(ClientError(.unimplemented, "this scheduler does not support the request"))
        ),
        named(
            "Unavailable",
            "No scheduler answered in time, because of a take-over or a database outage. Reads and requests with an Idempotency-Key can be repeated safely.",
            Problem(ClientError(.unavailable, "no scheduler leads at the moment; try again in a second"))
        ),
    ]

    private static func named(
        _ name: String,
        _ summary: String,
        _ problem: Problem
    ) -> (name: String, problem: Problem, response: JSONValue) {
        var members: [JSONValue.Member] = [.init("description", .string(summary))]
        if problem.headers[.retryAfter] != nil {
            members.append(
                .init(
                    "headers",
                    [
                        "Retry-After": [
                            "description": "Seconds to wait before a retry.", "schema": ["type": "integer"],
                        ]
                    ]
                )
            )
        }
        members.append(
            .init(
                "content",
                .object([
                    .init(Problem.contentType, ["schema": .reference("Problem"), "example": problem.document])
                ])
            )
        )
        return (name, problem, .object(members))
    }
}
