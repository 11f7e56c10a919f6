/// What has to happen in many runs: a fault that never strikes and a branch that is never taken prove nothing.
enum Coverage {
    static let required = [
        "action acknowledge", "action acquireLease", "action announceLead", "action cancelCalls", "action commit",
        "action dispatch", "action findExecution", "action loadGapRows", "action loadJobs", "action loadJobsNamed",
        "action loadOpenExecutions", "action recorded", "action releaseLease", "action renewLease", "action reply",
        "action stopped", "client called", "client cancelled", "client deleted", "client paused", "client ran a job",
        "client resumed", "client updated", "client waited for a call", "clock stepped back", "clock stepped forward",
        "commit lost", "commit made, answer lost", "connection cut", "lease taken from a silent leader", "name taken",
        "note clockStepped", "note gapClosed", "note gapOpened", "note leadershipLost", "note leadershipTaken",
        "note leading", "note loadFailed", "note materializationHeld", "note workerLost", "read failed",
        "row cancelled cancelRequested",
        "row failed retriesExhausted", "row skipped catchUp", "row skipped overlap", "row success",
        "row unknown outcomeLost", "scheduler killed", "scheduler paused", "scheduler stopped", "store away",
        "store stalled", "target answers late", "target asks for patience", "target fails", "target hangs",
        "target not reached", "worker drained", "worker killed", "worker paused", "write fenced", "write refused",
    ]
}
