/// What a store knows of its own state: how long it has waited for the database, and what the database said last.
package struct StoreHealth: Sendable, Hashable {
    /// An error, in the database's own words.
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
        /// `nil` while nothing is waited for.
        package var waitedMs: Int64?
        package var failure: Failure?

        package init(waitedMs: Int64? = nil, failure: Failure? = nil) {
            self.waitedMs = waitedMs
            self.failure = failure
        }
    }

    /// The oldest batch that was handed over and has not been answered.
    package var batch: Work
    /// The time since the database last answered a question for the lease. `nil` while no lease is asked for.
    package var lease: Work
    /// The oldest read for the leader that has not ended.
    package var load: Work

    package init(batch: Work = Work(), lease: Work = Work(), load: Work = Work()) {
        self.batch = batch
        self.lease = lease
        self.load = load
    }

    /// What is wrong, with the database's own words; `nil` while nothing has waited longer than `limitMs`.
    ///
    /// A read may take longer than that. Whoever waits for one to begin its work asks for `loadProblem` too.
    package func problem(limitMs: Int64) -> String? {
        if let waited = lease.waitedMs, waited > limitMs {
            return Self.text("the database has not answered for the lease", waited, lease.failure ?? batch.failure)
        }
        if let waited = batch.waitedMs, waited > limitMs {
            return Self.text("a batch has waited for the database", waited, batch.failure ?? lease.failure)
        }
        return nil
    }

    /// What keeps a read from ending; `nil` while none has taken longer than `limitMs`.
    package func loadProblem(limitMs: Int64) -> String? {
        guard let waited = load.waitedMs, waited > limitMs else { return nil }
        return Self.text("the jobs and open executions are being read", waited, load.failure)
    }

    private static func text(_ what: String, _ waitedMs: Int64, _ failure: Failure?) -> String {
        let text = "\(what) for \(waitedMs / 1_000) s"
        // An error from before the wait says nothing about it.
        guard let failure, failure.ageMs <= waitedMs + 1_000 else { return text }
        let state = failure.state.map { " (SQLSTATE \($0))" } ?? ""
        return "\(text): \(failure.message)\(state)"
    }
}
