/// The wait of a take-over for workers that may hold executions dispatched by the previous leader.
struct Recovery {
    /// The end of the wait.
    let until: BootTime
    /// The workers that may hold executions; `nil` if the previous leader stored none: then the wait always takes its
    /// full time.
    let workers: Set<String>?

    init(at boot: BootTime, workers: [String]?) {
        until = boot + 2_000
        self.workers = workers.map(Set.init)
    }

    /// Whether the wait is over.
    func isOver(at boot: BootTime, _ roster: borrowing WorkerRoster) -> Bool {
        boot >= until || (workers.map { roster.haveAllAnswered(besides: $0) } ?? false)
    }
}
