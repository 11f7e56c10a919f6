internal import CarillonCore
internal import CarillonJSON
internal import HTTPTypes

/// The ways in which requests fail, as the document has them.
enum ErrorResponses {
    /// The names and statuses of a route's errors, by status.
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
        // Probes answer under any name.
        if route.path != "/livez", route.path != "/readyz" { names.append("WrongHost") }
        if !names.contains("Invalid") { names.append("Invalid") }
        if route.tag != .system { names += ["TooMany", "Defect", "Unimplemented", "Unavailable"] }
        return names.compactMap { name in
            all.first { $0.name == name }.map { (name, String($0.problem.status.code)) }
        }
        .sorted { $0.1 < $1.1 }
    }

    /// By name, in the order of their statuses.
    static let all: [(name: String, problem: Problem, response: JSONValue)] = [
        named(
            "Invalid",
            "The path, a parameter, a header or the body is wrong; `errors` says where.",
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
            "There is no such job.",
            Problem(ClientError(.notFound, "there is no job \(Examples.jobID); it may have been deleted"))
        ),
        named(
            "UnknownExecution",
            "There is no such job, or no such execution.",
            Problem(ClientError(.notFound, "job \(Examples.jobID) has no execution yet"))
        ),
        named(
            "Conflict",
            "It does not fit what is there: a name that is taken, an open execution under overlap_policy SKIP, an execution that is over, an Idempotency-Key whose first request is still being done.",
            Problem(
                ClientError(
                    .failedPrecondition,
                    "the execution has already ended as SUCCESS; only an open or future execution can be cancelled",
                    reason: .alreadyFinished
                )
            )
        ),
        named("PreconditionFailed", "The job has another version than If-Match names.", Condition.mismatch(2)),
        named(
            "TooLarge",
            "The body is larger than 1 MiB.",
            Problem(.contentTooLarge, "PAYLOAD_TOO_LARGE", "the body is larger than 1 MiB (1048576 bytes)")
        ),
        named(
            "NotJSON",
            "There is a body and its Content-Type is not application/json, or there is none and the Content-Type is that of a form.",
            Problem(
                .unsupportedMediaType,
                "UNSUPPORTED_MEDIA_TYPE",
                "the body has the Content-Type text/plain; it must be application/json, in curl: -H 'Content-Type: application/json'"
            )
        ),
        named(
            "WrongHost",
            "The Host header has a name that is not one of this gateway's.",
            Problem(
                .misdirectedRequest,
                "HOST_NOT_ALLOWED",
                "the Host header is jobs.example.com, which is not a name of this gateway. Allowed are IP addresses, localhost, the name of its machine, the host of PUBLIC_URL and the names in ALLOWED_HOSTS; to allow this one, start the gateway with ALLOWED_HOSTS=jobs.example.com"
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
            "A limit is reached; try again.",
            Problem(ClientError(.resourceExhausted, "too many requests are waiting; try again"))
        ),
        named(
            "Defect",
            "A defect of Carillon.",
            Problem(ClientError(.internal, "the scheduler produced a result that does not match the request"))
        ),
        named(
            "Unimplemented",
            "The scheduler is too old for it.",
            Problem(ClientError(.unimplemented, "this scheduler does not know the message"))
        ),
        named(
            "Unavailable",
            "No scheduler could do it in time: a take-over, or the database is away. Reads, and requests with an Idempotency-Key, can be repeated without harm.",
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
                            "description": "Seconds until a repetition may help.", "schema": ["type": "integer"],
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
