/// One invalid field of a request: the field's name in the API, and a sentence that says what is valid.
package struct FieldError: Sendable, Hashable {
    /// For callers that write their own message. The kind stays in the process; only the sentence is sent.
    package enum Kind: Sendable, Hashable {
        /// The field exists, but its value is invalid.
        case invalid
        /// The field does not exist. `nearest` is a field with a similar name; `hasOthers`: whether the request has any
        /// field.
        case unknown(nearest: String?, hasOthers: Bool)
    }

    package var field: String
    package var message: String
    package var kind = Kind.invalid

    package init(field: String, message: String) {
        self.field = field
        self.message = message
    }

    /// An unknown field of a request or of the object that `owner` names.
    package init(unknown field: String, of owner: String, nearest: String?, hasOthers: Bool) {
        self.field = field
        message = "is not a field of \(owner)"
        if let nearest {
            message += "; did you mean \(nearest)?"
        } else if !hasOthers {
            message += ", which has none"
        }
        kind = .unknown(nearest: nearest, hasOthers: hasOthers)
    }
}

/// The reason why a client's request failed.
package struct ClientError: Error, Sendable, Hashable {
    package enum Code: String, Sendable, CaseIterable {
        case invalidArgument = "INVALID_ARGUMENT"
        case notFound = "NOT_FOUND"
        case alreadyExists = "ALREADY_EXISTS"
        case failedPrecondition = "FAILED_PRECONDITION"
        case notLeader = "NOT_LEADER"
        case unavailable = "UNAVAILABLE"
        case resourceExhausted = "RESOURCE_EXHAUSTED"
        case unauthenticated = "UNAUTHENTICATED"
        case permissionDenied = "PERMISSION_DENIED"
        case unimplemented = "UNIMPLEMENTED"
        case `internal` = "INTERNAL"
    }

    /// Distinguishes errors with the same code.
    package enum Reason: String, Sendable, CaseIterable {
        case versionMismatch = "VERSION_MISMATCH"
        case overlap = "OVERLAP"
        case alreadyFinished = "ALREADY_FINISHED"
        case nameTaken = "NAME_TAKEN"
        case idempotencyKeyReused = "IDEMPOTENCY_KEY_REUSED"
        case idempotencyKeyInUse = "IDEMPOTENCY_KEY_IN_USE"
        case workerNameInUse = "WORKER_NAME_IN_USE"
        case outcomeUnknown = "OUTCOME_UNKNOWN"
    }

    /// The maximum number of reported field errors. A request can contain 100,000 invalid fields, and reporting all of
    /// them would exceed the frame size and block other requests.
    package static let maxFieldErrors = 100

    package var code: Code
    package var text: String
    package var errors: [FieldError]
    /// Whether the same request may succeed later.
    package var retryable: Bool
    package var reason: Reason?
    /// With `notLeader`: host:port of the leader, when known.
    package var leaderAddress: String?

    package init(
        _ code: Code,
        _ text: String,
        errors: [FieldError] = [],
        retryable: Bool? = nil,
        reason: Reason? = nil,
        leaderAddress: String? = nil
    ) {
        self.code = code
        self.text = text
        self.errors = errors
        self.retryable = retryable ?? (code == .unavailable || code == .notLeader || code == .resourceExhausted)
        self.reason = reason
        self.leaderAddress = leaderAddress
    }
}

extension ClientError {
    /// Another process is connected under this worker name.
    package static func workerNameInUse(_ name: String) -> ClientError {
        ClientError(
            .failedPrecondition,
            "a worker named '\(name)' is already connected; give each worker its own name with --name, "
                + "or wait until the connection of the stopped worker times out",
            retryable: true,
            reason: .workerNameInUse
        )
    }

    /// A change was sent to the database, but no answer arrived.
    package static let outcomeUnknown = ClientError(
        .unavailable,
        "the database has not answered yet, so the outcome of this change is unknown; read the object before repeating it",
        reason: .outcomeUnknown
    )
}
