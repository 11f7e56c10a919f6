import CarillonCore
import Testing

@Suite struct StoreHealthTests {
    private func failure(_ message: String, ageMs: Int64, state: String? = nil) -> StoreHealth.Failure {
        StoreHealth.Failure(message: message, state: state, ageMs: ageMs)
    }

    @Test func `there is no problem while no wait exceeds the limit`() {
        let old = failure("disk full", ageMs: 10)
        #expect(StoreHealth().problem(limitMs: 5_000) == nil)
        let health = StoreHealth(
            batch: .init(waitedMs: 5_000, failure: old),
            lease: .init(waitedMs: 1_000),
            load: .init(waitedMs: 5_000)
        )
        #expect(health.problem(limitMs: 5_000) == nil)
        #expect(health.loadProblem(limitMs: 5_000) == nil)
    }

    @Test func `a waiting batch is reported with the last error of the database and its SQLSTATE`() {
        let health = StoreHealth(
            batch: .init(waitedMs: 7_900, failure: failure("could not extend file", ageMs: 900, state: "53100")),
            lease: .init(waitedMs: 200, failure: failure("of yesterday", ageMs: 86_400_000))
        )
        #expect(
            health.problem(limitMs: 5_000)
                == "a batch of writes has waited for the database for 7 s: could not extend file (SQLSTATE 53100)"
        )
    }

    @Test func `the lease is reported first, and an error from before the wait is ignored`() {
        let health = StoreHealth(
            batch: .init(waitedMs: 9_000, failure: failure("no answer", ageMs: 100)),
            lease: .init(waitedMs: 8_000, failure: failure("of yesterday", ageMs: 86_400_000))
        )
        #expect(health.problem(limitMs: 5_000) == "the database has not answered a lease request for 8 s")
        let other = StoreHealth(
            batch: .init(waitedMs: 9_000, failure: failure("no answer", ageMs: 100)),
            lease: .init(waitedMs: 8_000)
        )
        #expect(other.problem(limitMs: 5_000) == "the database has not answered a lease request for 8 s: no answer")
    }

    @Test func `a read that does not end is reported separately`() {
        let health = StoreHealth(load: .init(waitedMs: 61_000, failure: failure("permission denied", ageMs: 10)))
        #expect(health.problem(limitMs: 5_000) == nil)
        #expect(
            health.loadProblem(limitMs: 5_000)
                == "jobs and open executions have been loading for 61 s: permission denied"
        )
    }
}
