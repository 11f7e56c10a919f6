import CarillonClient
import CarillonCron
import CarillonJSON
import CarillonRPC
import CarillonWire
import Glibc
import TestSupport
import Testing

/// Clock steps under load: wall clocks of machines have no effect, and the database's clock is the cluster time.
@Suite(
    .serialized,
    .alone,
    .timeLimit(.minutes(10)),
    .enabled(if: FakeClock.isInstalled, "libfaketime is not installed; run: apt-get install faketime")
)
struct ClockTests {
    private static let isLong = getenv("CARILLON_CHAOS").map { String(cString: $0) } == "long"

    private let jobs = isLong ? 200 : 50

    private func pause(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    /// Runs a load while a clock is set.
    private func scenario(
        _ name: String,
        _ system: TestSystem,
        calling path: @Sendable (Int) -> String = Load.mixed,
        catchUpSeconds: @Sendable (Int) -> Int64 = { _ in 60 },
        timesCameTwice: Bool = false,
        mayRepeat: Bool = false,
        setting: (TestSystem) async throws -> Void
    ) async throws -> Audit {
        do {
            try await system.start()
            let load = try await Load.begin(system, jobs: jobs, calling: path, catchUpSeconds: catchUpSeconds)
            try await setting(system)
            try await load.end()
            let audit = try Audit.of(load, timesCameTwice: timesCameTwice)
            print("scenario \(name): \(audit), at most \(audit.mostCallsInASecond) calls in a second")
            audit.expectWhole()
            #expect(audit.due > jobs * 2)
            #expect(audit.repeatedCalls == 0 || mayRepeat)
            try await system.stop()
            return audit
        } catch {
            for node in system.schedulers { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    @Test func `the wall clocks of scheduler and worker jump by hours, and nothing changes`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(settings: clock.environment)
        let audit = try await scenario("wall clocks +2 h, -2 h, back", system) { system in
            try await pause(2)
            for hours in [2.0, -2.0, 0] {
                try clock.set(hours * 3_600)
                #expect(abs(try clock.shift() - Int(hours * 3_600)) <= 1)
                try await pause(2)
            }
            for node in system.schedulers + system.workers {
                #expect(FakeClock.holds(node.program), "\(node.name) does not use the fake clock")
            }
        }
        #expect(audit.late == 0)
        #expect(audit.statuses["SKIPPED"] == nil)
        #expect(audit.mostCallsInASecond < jobs * 3)
    }

    @Test func `the database's clock steps forward: what was missed runs or is skipped by policy`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        // Half of the jobs catch up on a full minute, the others on five seconds and then only on the last due time.
        _ = try await scenario(
            "the database's clock +30 s",
            system,
            catchUpSeconds: { $0 % 2 == 0 ? 60 : 5 }
        ) { system in
            try await pause(3)
            let before = try databaseTime(system)
            try clock.set(30)
            #expect(try databaseTime(system) - before > 29)
            // Either the leader noticed the step, or the standby found the lease expired. A take-over, whose outage
            // ends later, may have split the skipped range into several rows.
            let skippedJobs = "SELECT count(DISTINCT job_id) FROM job_executions WHERE status = 'SKIPPED'"
            while try system.psql(skippedJobs) != "\(jobs / 2)" { try await pause(0.05) }
            let skipped = try system.psql(
                """
                SELECT catch_up_window_ms, count(*), min(sum), max(sum) FROM
                (SELECT job_id, sum(skipped_count) FROM job_executions WHERE status = 'SKIPPED' GROUP BY 1) AS skipped
                JOIN jobs USING (job_id) GROUP BY 1
                """
            )
            let cells = skipped.split(separator: "|").compactMap { Int($0) }
            try #require(cells.count == 4, "expected one kind of job to be skipped: \(skipped)")
            #expect(cells[0] == 5_000 && cells[1] == jobs / 2, "\(skipped)")
            // 30 s, minus the five that are caught up, minus the last one of the other jobs, plus or minus the ends.
            #expect(cells[2] >= 20 && cells[3] <= 27, "\(skipped)")
        }
    }

    @Test func `one scheduler's wall clock jumps while the other one takes over, and back`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(
            schedulers: 2,
            workers: 2,
            settingsOfScheduler: { $0 == 0 ? clock.environment : [:] }
        )
        let audit = try await scenario("the wall clock of one scheduler ±2 h, two take-overs", system, mayRepeat: true)
        {
            system in
            #expect(FakeClock.holds(system.schedulers[0].program) && !FakeClock.holds(system.schedulers[1].program))
            var killed: Set<String> = []
            for hours in [2.0, -2.0] {
                try clock.set(hours * 3_600)
                try await pause(2)
                let leader = try await system.killLeader()
                killed.insert(leader.name)
                // While there is no leader, or the other scheduler has just started to lead.
                try clock.set(-hours * 3_600)
                let other = try await system.leader()
                #expect(other.name != leader.name)
                let epoch = try system.psql("SELECT max(epoch) FROM shards")
                while try system.psql("SELECT count(*) FROM job_executions WHERE token_epoch = \(epoch)") == "0" {
                    try await pause(0.02)
                }
                let known = system.connections(to: leader)
                try leader.start()
                while system.connections(to: leader) < known + system.workers.count { try await pause(0.02) }
            }
            #expect(killed.count == 2, "only one scheduler led")
            try clock.set(0)
            try await pause(2)
        }
        #expect(audit.worstDriftMs < 2_000)
        #expect(audit.statuses["SKIPPED"] == nil)
        #expect(try #require(audit.takeOverMs) < 2_000)
    }

    @Test func `the database's clock jumps by hours and back: no burst of calls, and nothing runs again`() async throws
    {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        let began = Stopwatch.now
        _ = try await scenario(
            "the database's clock +2 h, back, -2 h, back",
            system,
            // An execution that waits for a retry would occupy the slots for catching up.
            calling: { _ in "/ok" },
            timesCameTwice: true
        ) { system in
            // One row for each second so far. For the two hours: one row for each second of the window, the last due
            // time before the window, and one or two rows for all others. The seconds that passed while the clock was
            // ahead are caught up too.
            var secondsAhead = 0.0
            func expectNoFlood() throws {
                let most = try system.psql(
                    "SELECT max(count) FROM (SELECT count(*) FROM job_executions GROUP BY job_id) AS jobs"
                )
                let limit = Int(Stopwatch.now - began + secondsAhead) + 60 + 3 + 3
                #expect(Int(most) ?? .max <= limit)
                var calls: [String: Int] = [:]
                for call in system.target.calls where call.attempt == 1 { calls[call.jobID, default: 0] += 1 }
                #expect(calls.values.max() ?? .max <= limit)
            }
            // Wait until every job was called for a due time after now.
            func goesOn() async throws {
                let now = try databaseTime(system)
                while true {
                    let times = system.target.calls.map {
                        ($0.jobID, Double(RFC3339.parse($0.scheduledTime) ?? 0) / 1_000)
                    }
                    if Set(times.filter { now < $0.1 && $0.1 < now + 60 }.map(\.0)).count >= jobs { return }
                    try await pause(0.05)
                }
            }
            func isCaughtUp() throws -> Bool {
                try system.psql("SELECT count(*) FROM shards WHERE gap_to IS NOT NULL") == "0"
            }
            // Wait until the leader has noticed that the clock was set back.
            func isBack() throws -> Bool {
                try system.psql("SELECT max(materialized_through) < clock_timestamp() + interval '1 min' FROM shards")
                    == "t"
            }

            try await goesOn()
            let jumped = Stopwatch.now
            try clock.set(7_200)
            let steppedTo = try databaseTime(system)
            // A take-over, whose outage ends later, may have split the range in two.
            let skipped = """
                SELECT count(*), min(sum) > 7000, max(sum) <= 7200, max(rows) <= 2 FROM
                (SELECT sum(skipped_count), count(*) AS rows FROM job_executions WHERE status = 'SKIPPED' GROUP BY job_id) AS jobs
                """
            while try system.psql(skipped) != "\(jobs)|t|t|t" || !isCaughtUp() { try await pause(0.05) }
            try await goesOn()
            try expectNoFlood()
            // Once a leader has noticed the step, executions that are due now do not wait for missed ones.
            let drift = try system.psql(
                """
                SELECT coalesce(max(drift_ms), 0)::bigint FROM job_executions
                WHERE scheduled_time > to_timestamp(\(steppedTo)) + interval '3 s'
                """
            )
            #expect(Int(drift) ?? .max < 2_000)

            let ahead = "SELECT count(*) FROM job_executions WHERE scheduled_time > clock_timestamp() + interval '1 h'"
            try clock.set(0)
            while try !isBack() { try await pause(0.05) }
            secondsAhead = Stopwatch.now - jumped
            let kept = try system.psql(ahead)
            try await goesOn()
            #expect(try system.psql(ahead) == kept, "rows with a future due time")

            // A job has no due times before its effective time; a job created now has due times.
            try clock.set(-7_200)
            while try !isBack() { try await pause(0.05) }
            let made = try await Load.persistently {
                try await system.client.call(
                    "create_job",
                    ["schedule": "* * * * * *", "api_url": .string(system.target.url("/new"))]
                )
            }
            while !system.target.calls.contains(where: { $0.path == "/new" }) { try await pause(0.05) }
            _ = try await Load.persistently {
                try await system.client.call("delete_job", ["job_id": .string(made["job_id"]?.string ?? "")])
            }
            let early = "scheduled_time < effective_from - interval '1 h'"
            #expect(
                try system.psql("SELECT count(*) FROM job_executions JOIN jobs USING (job_id) WHERE \(early)") == "0"
            )

            try clock.set(0)
            try await goesOn()
            while try !isCaughtUp() { try await pause(0.05) }
            try expectNoFlood()
        }
    }

    @Test(arguments: [isLong ? 30.0 : 10])
    func `the database's clock steps back: nothing runs again`(seconds: Double) async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        let audit = try await scenario("the database's clock -\(Int(seconds)) s", system) { system in
            try await pause(3)
            let before = try databaseTime(system)
            try clock.set(-seconds)
            #expect(try databaseTime(system) < before - seconds / 2)
            // The leader uses the old time until its next lease renewal, when it notices the step.
            let leader = try await system.leader()
            while !leader.text.contains("database clock stepped") { try await pause(0.05) }
            // A job created now has its own due times.
            let made = try await Load.persistently {
                try await system.client.call(
                    "create_job",
                    ["schedule": "* * * * * *", "api_url": .string(system.target.url("/new"))]
                )
            }
            while !system.target.calls.contains(where: { $0.path == "/new" }) { try await pause(0.05) }
            #expect(try databaseTime(system) < before, "the new job waited until the clock reached the old time")
            _ = try await Load.persistently {
                try await system.client.call("delete_job", ["job_id": .string(made["job_id"]?.string ?? "")])
            }
            while try databaseTime(system) < before + 3 { try await pause(0.2) }
        }
        #expect(audit.mostCallsInASecond < jobs * 3)
    }

    @Test func `a step of one second, as around a leap second, has no effect`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(ownCluster: true, clusterEnvironment: clock.environment)
        _ = try await scenario("the database's clock +1 s, back, -1 s, back", system) { _ in
            for offset in [0, 1, 0, -1, 0.0] {
                try clock.set(offset)
                try await pause(2)
            }
        }
    }

    private func databaseTime(_ system: TestSystem) throws -> Double {
        Double(try system.psql("SELECT extract(epoch FROM clock_timestamp())")) ?? 0
    }
}
