/// What a take-over waits for: workers that may hold executions which the leader before dispatched.
struct Recovery {
    /// Until when executions wait for a worker to say that it holds them.
    let until: BootTime
    /// The workers that may hold some; `nil` when the leader before wrote nothing down: then all of the time is waited.
    let workers: Set<String>?

    init(at boot: BootTime, workers: [String]?) {
        until = boot + 2_000
        self.workers = workers.map(Set.init)
    }

    /// Whether the waiting is over.
    func isOver(at boot: BootTime, _ roster: borrowing WorkerRoster) -> Bool {
        boot >= until || (workers.map { roster.haveAllAnswered(besides: $0) } ?? false)
    }
}
