/// Bugs that a build with `-DFAULT_INJECTION` can activate, one at a time, to test that the simulation detects them. In
/// other builds no fault is ever active.
package enum InjectedFault: String, Sendable, CaseIterable {
    case trustsALeaseThatIsOver
    case refiresClaimsOnTakeOver
    case losesRetries
    case retriesOnceTooOften
    case acknowledgesBeforeCommit
    case takesACommitForAFailure
    case ignoresTheAttemptNumber
    case forgetsRetriesInOverlap
    case keepsTheOldDefinition
    case forgetsWhatIsInFlight
    case forgetsTheOutage
    case ignoresTheCatchUpWindow
    case waitsIndefinitelyForALostWorker
    case sendsClaimsBeforeTheyAreDurable
    case armsWhatHasRun
    case marksWhatHasNoRow
    case settlesWhatIsOpen
    case forgetsTheFence
    case takesCallsOfAnEpochThatIsOver
    case forgetsToReportAgain
    case keepsAReservedSlot
    case answersChangesBeforeTheyAreDurable
    case runsAllThatWasMissed
    case runsAllThatWasMissedAtOnce
    case skipsWhatOverlapsNothing
    case givesUpClaimsAtOnce
    case believesInSilentConnections
    case believesEveryToken
    case believesEveryNumber
    case waitsIndefinitelyForASilentWorker
    case trustsAnyProcessAboutAClaim
    case ignoresAStalledBatch
    case ignoresTheWorkersClock
    case appliesAChangeBeforeItsCommit
    case letsAMarkPassAStagedChange
    case losesAQueuedChange
    case dispatchesWhatIsHeld
    case startsLateAfterATakeOver
    case skipsRetriesAfterTheStartDeadline
    case ignoresTheClockInEpochs
    case ignoresIncarnations
    case writesBehindALostBatch
    case ignoresALowerLead
    case comparesEpochsAcrossShards
    case grantsItsSlotsToEachLeader
    case sendsOutcomesToAnyLeader
    case believesAnyAcknowledgement

    /// Whether the fault has an effect only in a worker that serves several leaders.
    package var needsSeveralLeaders: Bool {
        switch self {
        case .comparesEpochsAcrossShards, .grantsItsSlotsToEachLeader, .sendsOutcomesToAnyLeader,
            .believesAnyAcknowledgement:
            true
        default: false
        }
    }

    #if FAULT_INJECTION
        /// - Note: `nonisolated(unsafe)`: only InjectedFaultTests writes it, in its own process, before a simulation
        ///   starts. The tasks of the simulation only read it.
        package nonisolated(unsafe) static var active: InjectedFault?

        package var isActive: Bool { InjectedFault.active == self }
    #else
        @inline(__always)
        package var isActive: Bool { false }
    #endif
}
