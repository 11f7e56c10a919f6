/// What has to happen in many runs: a fault that never strikes and a branch that is never taken prove nothing.
enum Coverage {
    static let required = [
        "action acknowledge", "action acquireLease", "action announceLead", "action cancelCalls", "action commit",
        "action dispatch", "action findExecution", "action loadGapRows", "action loadJobs", "action loadJobsNamed",
        "action loadOpenExecutions", "action recorded", "action releaseLease", "action renewLease", "action reply",
        "action stopped", "client called", "client cancelled", "client deleted", "client paused", "client ran a job",
        "client resumed", "client updated", "client waited for a call", "clients disagreed", "clock stepped back",
        "clock stepped forward",
        "commit lost", "commit made, answer lost", "connection cut", "lease taken from a silent leader", "name taken",
        "note clockStepped", "note gapClosed", "note gapOpened", "note leadershipLost", "note leadershipTaken",
        "note leading", "note loadFailed", "note materializationHeld", "note workerLost", "read failed",
        "row cancelled cancelRequested",
        "by hand: changed", "by hand: deactivated", "by hand: deleted", "by hand: found", "by hand: inserted",
        "by hand: scheduled anew", "changes by hand looked for", "client changed the execution type",
        "client asked twice with one key", "client changed what another one had changed", "client followed NOT_LEADER",
        "client found another version", "client gave up", "client hung up", "client lost its connection",
        "client refreshed the schedule", "client waited for a leader", "client was refused: FAILED_PRECONDITION",
        "client was refused: NOT_FOUND", "client was told to ask again", "query failed",
        "connection cut one way", "event changeRequested", "event committed", "event gapRowsLoaded", "event jobsLoaded",
        "event jobsRefreshed", "event leaseAnswered", "event leaseConnectionLost", "event leaseReleased",
        "event loadFailed", "event openExecutionsLoaded", "event stopRequested", "event workerDrained",
        "event workerGranted", "event workerHeld", "event workerJoined", "event workerLeft", "event workerReported",
        "event workerStarted", "wall clock stepped",
        "frame cut in two", "schedule both in Europe/Berlin", "schedule cron in Europe/Berlin",
        "schedule skip in Europe/Berlin", "wire closed", "wire silence", "wire skew measured", "wire welcome",
        "row failed retriesExhausted", "row skipped catchUp", "row skipped overlap",
        "row skipped startDeadline", "row success",
        "row unknown outcomeLost", "scheduler killed", "scheduler killed at a commit", "scheduler paused",
        "scheduler stopped", "store away",
        "store stalled", "text refused", "clock stepped by hours", "catch-up all", "catch-up latest", "catch-up none",
        "note rowRefused", "target answers late", "target asks for patience", "target fails", "target hangs",
        "writer stalled", "leader isolated from its workers", "note leadHandedOver", "connection stalled",
        "worker lied", "note batchStalled", "note reportRejected", "note callOverdue",
        "action queryClaims", "claim answered neverBegun", "late row skipped",
        "target not reached", "worker drained", "worker killed", "worker paused", "write fenced", "write refused",
    ]

    /// What has to happen in 2,000 runs.
    static let requiredOfMany = [
        "boot time stood still", "event executionFound", "by hand: activated", "clock stepped back under a new leader",
        "database's clock stood still", "dispatch given back",
        "everything suspended", "leader suspended", "row cancelled jobDeleted", "row cancelled jobPaused",
        "row failed workerLost", "row skipped expired", "schedule both in Australia/Lord_Howe",
        "schedule both in Asia/Kathmandu", "schedule cron in Australia/Lord_Howe", "schedule cron in Asia/Kathmandu",
        "schedule skip in Australia/Lord_Howe", "schedule skip in Asia/Kathmandu", "wire skew is off",
        "worker suspended",
    ]
}
