/// The state of the database connection: how long the store has waited, and the last errors of the database.
package struct StoreHealth: Sendable, Hashable {
    /// An error with the message of the database.
    package struct Failure: Sendable, Hashable {
        package var message: String
        /// The SQLSTATE, where the database sent one.
        package var state: String?
        /// How long ago the error arrived.
        package var ageMs: Int64

        package init(message: String, state: String?, ageMs: Int64) {
            self.message = message
            self.state = state
            self.ageMs = ageMs
        }
    }

    /// One kind of work, with the time that it has waited and its last error.
    package struct Work: Sendable, Hashable {
        /// `nil` while no work of this kind is waiting.
        package var waitedMs: Int64?
        package var failure: Failure?

        package init(waitedMs: Int64? = nil, failure: Failure? = nil) {
            self.waitedMs = waitedMs
            self.failure = failure
        }
    }

    /// The oldest batch that is still unanswered.
    package var batch: Work
    /// The time since the database last answered a lease request; `nil` while no lease is requested.
    package var lease: Work
    /// The oldest read of the leader that has not finished.
    package var load: Work

    package init(batch: Work = Work(), lease: Work = Work(), load: Work = Work()) {
        self.batch = batch
        self.lease = lease
        self.load = load
    }

    /// The current problem with the last error of the database; `nil` while no wait exceeds `limitMs`.
    ///
    /// Reads are not included, because they may take longer. A leader that is loading its state checks `loadProblem`
    /// too.
    package func problem(limitMs: Int64) -> String? {
        if let waited = lease.waitedMs, waited > limitMs {
            return Self.text("the database has not answered a lease request", waited, lease.failure ?? batch.failure)
        }
        if let waited = batch.waitedMs, waited > limitMs {
            return Self.text("a batch of writes has waited for the database", waited, batch.failure ?? lease.failure)
        }
        return nil
    }

    /// The reason why a read has not finished; `nil` while no read has taken longer than `limitMs`.
    package func loadProblem(limitMs: Int64) -> String? {
        guard let waited = load.waitedMs, waited > limitMs else { return nil }
        return Self.text("jobs and open executions have been loading", waited, load.failure)
    }

    private static func text(_ what: String, _ waitedMs: Int64, _ failure: Failure?) -> String {
        let text = "\(what) for \(waitedMs / 1_000) s"
        // An error from before the wait does not explain it.
        guard let failure, failure.ageMs <= waitedMs + 1_000 else { return text }
        let state = failure.state.map { " (SQLSTATE \($0))" } ?? ""
        return "\(text): \(failure.message)\(state)"
    }
}
