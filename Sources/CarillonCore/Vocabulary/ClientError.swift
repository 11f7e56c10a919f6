/// One thing that is wrong with a request: the field as the API names it, and a sentence that says what would be right.
package struct FieldError: Sendable, Hashable {
    /// For callers that word it themselves. It stays in the process: a message has only the sentence.
    package enum Kind: Sendable, Hashable {
        /// The field is known.
        case invalid
        /// The request has no such field. `nearest` is one with a similar name; `hasOthers`: whether it has any.
        case unknown(nearest: String?, hasOthers: Bool)
    }

    package var field: String
    package var message: String
    package var kind = Kind.invalid

    package init(field: String, message: String) {
        self.field = field
        self.message = message
    }

    /// A field that a request, or whatever `owner` names, does not have.
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

/// Why a request of a client was not done (design § 7).
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

    /// Tells cases of one code apart.
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

    /// How many wrong fields are named. A body has room for a hundred thousand: an answer that named them all would fit into
    /// no frame, and to make it would hold up everybody else.
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
    /// Another process is connected under a worker's name.
    package static func workerNameInUse(_ name: String) -> ClientError {
        ClientError(
            .failedPrecondition,
            "a worker named '\(name)' is connected already; give each worker its own name with --name, "
                + "or wait until the connection of the stopped one has timed out",
            retryable: true,
            reason: .workerNameInUse
        )
    }

    /// A change was sent to the database, and its answer has not come.
    package static let outcomeUnknown = ClientError(
        .unavailable,
        "the database has not answered yet, so the outcome of this change is unknown; read the object before repeating it",
        reason: .outcomeUnknown
    )
}
