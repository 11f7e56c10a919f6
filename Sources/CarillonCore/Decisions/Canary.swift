/// Bugs that can be planted in a build made with `-DCANARY`, one at a time, to show that the simulation catches them. In any
/// other build none of them ever sings.
package enum Canary: String, Sendable, CaseIterable {
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
    case forgetsTheGap
    case ignoresTheCatchUpWindow
    case waitsForEverForALostWorker
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
    case waitsForEverForASilentWorker
    case trustsAnyProcessAboutAClaim
    case ignoresAStalledBatch
    case ignoresTheWorkersClock
    case appliesAChangeBeforeItsCommit
    case letsAMarkPassAStagedChange
    case losesAQueuedChange
    case dispatchesWhatIsHeld
    case startsLateAfterATakeOver
    case skipsRetriesAfterTheStartDeadline
    case comparesEpochsAcrossShards
    case grantsItsSlotsToEachLeader
    case sendsOutcomesToAnyLeader
    case believesAnyAcknowledgement

    /// Whether the fault shows only in a worker that serves several leaders.
    package var needsSeveralLeaders: Bool {
        switch self {
        case .comparesEpochsAcrossShards, .grantsItsSlotsToEachLeader, .sendsOutcomesToAnyLeader,
            .believesAnyAcknowledgement:
            true
        default: false
        }
    }

    #if CANARY
        /// - Note: `nonisolated(unsafe)`: written only by CanaryTests, which has its process to itself, before a simulation
        ///   begins; the tasks of that simulation only read it.
        package nonisolated(unsafe) static var planted: Canary?

        package var sings: Bool { Canary.planted == self }
    #else
        @inline(__always)
        package var sings: Bool { false }
    #endif
}
