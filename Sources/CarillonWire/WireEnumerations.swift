internal import CCarillonProto
internal import CarillonCore
internal import CarillonCron

/// An enumeration of the core that has a counterpart in the protocol.
protocol WireEnumeration: CaseIterable {
    associatedtype Wire: Equatable
    var wire: Wire { get }
}

extension WireEnumeration {
    /// The scanner has already refused numbers without a name.
    init(wire: Wire) throws(WireError) {
        guard let value = Self.allCases.first(where: { $0.wire == wire }) else {
            throw WireError(.invalid, "unknown enumeration value")
        }
        self = value
    }
}

extension Role: WireEnumeration {
    var wire: Carillon__V1__Role {
        switch self {
        case .client: CARILLON__V1__ROLE__ROLE_CLIENT
        case .worker: CARILLON__V1__ROLE__ROLE_WORKER
        }
    }
}

extension ClientError.Code: WireEnumeration {
    var wire: Carillon__V1__ErrorCode {
        switch self {
        case .invalidArgument: CARILLON__V1__ERROR_CODE__ERROR_CODE_INVALID_ARGUMENT
        case .notFound: CARILLON__V1__ERROR_CODE__ERROR_CODE_NOT_FOUND
        case .alreadyExists: CARILLON__V1__ERROR_CODE__ERROR_CODE_ALREADY_EXISTS
        case .failedPrecondition: CARILLON__V1__ERROR_CODE__ERROR_CODE_FAILED_PRECONDITION
        case .notLeader: CARILLON__V1__ERROR_CODE__ERROR_CODE_NOT_LEADER
        case .unavailable: CARILLON__V1__ERROR_CODE__ERROR_CODE_UNAVAILABLE
        case .resourceExhausted: CARILLON__V1__ERROR_CODE__ERROR_CODE_RESOURCE_EXHAUSTED
        case .unauthenticated: CARILLON__V1__ERROR_CODE__ERROR_CODE_UNAUTHENTICATED
        case .permissionDenied: CARILLON__V1__ERROR_CODE__ERROR_CODE_PERMISSION_DENIED
        case .unimplemented: CARILLON__V1__ERROR_CODE__ERROR_CODE_UNIMPLEMENTED
        case .internal: CARILLON__V1__ERROR_CODE__ERROR_CODE_INTERNAL
        }
    }
}

extension AckResult: WireEnumeration {
    var wire: Carillon__V1__AckResult {
        switch self {
        case .recorded: CARILLON__V1__ACK_RESULT__ACK_RESULT_RECORDED
        case .superseded: CARILLON__V1__ACK_RESULT__ACK_RESULT_SUPERSEDED
        case .notIssued: CARILLON__V1__ACK_RESULT__ACK_RESULT_NOT_ISSUED
        case .invalid: CARILLON__V1__ACK_RESULT__ACK_RESULT_INVALID
        }
    }
}

extension ClaimState: WireEnumeration {
    var wire: Carillon__V1__ClaimState {
        switch self {
        case .neverBegun: CARILLON__V1__CLAIM_STATE__CLAIM_STATE_NEVER_BEGUN
        case .running: CARILLON__V1__CLAIM_STATE__CLAIM_STATE_RUNNING
        case .ended: CARILLON__V1__CLAIM_STATE__CLAIM_STATE_ENDED
        }
    }
}

extension OutcomeKind: WireEnumeration {
    var wire: Carillon__V1__OutcomeKind {
        switch self {
        case .answered: CARILLON__V1__OUTCOME_KIND__OUTCOME_KIND_ANSWERED
        case .failed: CARILLON__V1__OUTCOME_KIND__OUTCOME_KIND_FAILED
        case .notSent: CARILLON__V1__OUTCOME_KIND__OUTCOME_KIND_NOT_SENT
        case .notStarted: CARILLON__V1__OUTCOME_KIND__OUTCOME_KIND_NOT_STARTED
        case .cancelled: CARILLON__V1__OUTCOME_KIND__OUTCOME_KIND_CANCELLED
        case .unknown: CARILLON__V1__OUTCOME_KIND__OUTCOME_KIND_UNKNOWN
        }
    }
}

extension Trigger: WireEnumeration {
    var wire: Carillon__V1__Trigger {
        switch self {
        case .schedule: CARILLON__V1__TRIGGER__TRIGGER_SCHEDULE
        case .manual: CARILLON__V1__TRIGGER__TRIGGER_MANUAL
        }
    }
}

extension ExecutionStatus: WireEnumeration {
    var wire: Carillon__V1__ExecutionStatus {
        switch self {
        case .pending: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_PENDING
        case .running: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_RUNNING
        case .retrying: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_RETRYING
        case .success: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_SUCCESS
        case .failed: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_FAILED
        case .cancelled: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_CANCELLED
        case .unknown: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_UNKNOWN
        case .skipped: CARILLON__V1__EXECUTION_STATUS__EXECUTION_STATUS_SKIPPED
        }
    }
}

extension DaylightPolicy: WireEnumeration {
    var wire: Carillon__V1__DstPolicy {
        switch self {
        case .cron: CARILLON__V1__DST_POLICY__DST_POLICY_CRON
        case .skip: CARILLON__V1__DST_POLICY__DST_POLICY_SKIP
        case .both: CARILLON__V1__DST_POLICY__DST_POLICY_BOTH
        }
    }
}
