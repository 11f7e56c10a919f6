import CarillonRPC
import CarillonWire
import Glibc
import TestSupport
import Testing

/// Clocks that jump under a load (design § 5, Clocks): the machines' own mean nothing, the database's is the cluster's.
@Suite(
    .serialized,
    .alone,
    .timeLimit(.minutes(10)),
    .enabled(if: FakeClock.isInstalled, "libfaketime is not there; run: apt-get install faketime")
)
struct ClockTests {
    private let jobs = 50
    /// What was missed has a tenth of 256 slots. With calls of 100 ms that is ten times as many in a second, beside those that
    /// are due now, some of them late by a second.
    private var flood: Int { 256 / 10 * 10 + jobs * 3 }

    private func pause(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    /// Runs a load with some clock set meanwhile.
    private func scenario(
        _ name: String,
        _ system: TestSystem,
        calling path: @Sendable (Int) -> String = Load.mixed,
        catchUpSeconds: @Sendable (Int) -> Int64 = { _ in 60 },
        setting: (TestSystem) async throws -> Void
    ) async throws -> Audit {
        do {
            try await system.start()
            let load = try await Load.begin(system, jobs: jobs, calling: path, catchUpSeconds: catchUpSeconds)
            try await setting(system)
            try await load.end()
            let audit = try Audit.of(load)
            print("scenario \(name): \(audit), at most \(audit.mostCallsInASecond) calls in a second")
            audit.expectWhole()
            #expect(audit.due > jobs * 2)
            #expect(audit.repeatedCalls == 0)
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
            try await pause(1)
            for hours in [2.0, -2.0, 0] {
                try clock.set(hours * 3_600)
                #expect(abs(try clock.shift() - Int(hours * 3_600)) <= 1)
                try await pause(2)
            }
            for node in system.schedulers + system.workers {
                #expect(FakeClock.holds(node.program), "\(node.name) reads the true clock")
            }
        }
        #expect(audit.late == 0)
        #expect(audit.statuses["SKIPPED"] == nil)
        #expect(audit.mostCallsInASecond < jobs * 3)
    }

    @Test func `the wall clock of one scheduler of two is off by hours, and a take-over changes nothing`() async throws
    {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, firstSchedulerSettings: clock.environment)
        let audit = try await scenario("one wall clock of two +2 h, -2 h, with take-overs", system) { system in
            for hours in [2.0, -2.0] {
                try clock.set(hours * 3_600)
                try await pause(1)
                let leader = try await system.killLeader()
                try await pause(1)
                try leader.start()
                while try await system.leader() === leader { try await pause(0.05) }
                try await system.untilServing()
            }
            #expect(FakeClock.holds(system.schedulers[0].program), "it reads the true clock")
            #expect(!FakeClock.holds(system.schedulers[1].program), "it reads the wrong clock")
        }
        #expect(audit.worstDriftMs < 2_000)
        #expect(audit.statuses["SKIPPED"] == nil)
    }

    @Test func `the database's clock steps forward: what was missed runs or is skipped by policy`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        // Half of the jobs make up for all of a minute, the others for five seconds and then for the last time only.
        let audit = try await scenario(
            "the database's clock +30 s",
            system,
            calling: { _ in "/slow" },
            catchUpSeconds: { $0 % 2 == 0 ? 60 : 5 }
        ) { system in
            try await pause(3)
            let before = try databaseTime(system)
            try clock.set(30)
            #expect(try databaseTime(system) - before > 29)
            // Either the leader has noticed, or the standby has found the lease to be over.
            while try system.psql("SELECT count(*) FROM job_executions WHERE status = 'SKIPPED'") != "\(jobs / 2)" {
                try await pause(0.05)
            }
            let skipped = try system.psql(
                """
                SELECT j.catch_up_window_ms, count(DISTINCT e.job_id), min(e.skipped_count), max(e.skipped_count)
                FROM job_executions e JOIN jobs j USING (job_id) WHERE e.status = 'SKIPPED' GROUP BY 1
                """
            )
            let cells = skipped.split(separator: "|").compactMap { Int($0) }
            try #require(cells.count == 4, "one kind of job is skipped: \(skipped)")
            #expect(cells[0] == 5_000 && cells[1] == jobs / 2, "\(skipped)")
            // 30 s, less the five that are made up for, less the last of the others, give or take the ends.
            #expect(cells[2] >= 20 && cells[3] <= 27, "\(skipped)")
            // A change would have all that is left made up for at once.
            while try system.psql("SELECT count(*) FROM shards WHERE gap_to IS NOT NULL") != "0" {
                try await pause(0.05)
            }
        }
        #expect(audit.mostCallsInASecond < flood)
    }

    @Test func `the database's clock steps by two hours, and back: no flood, and nothing runs twice`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        do {
            try await system.start()
            // Who is two hours late runs the last time alone, and twenty of the others at most.
            let load = try await Load.begin(
                system,
                jobs: jobs,
                calling: { _ in "/slow" },
                catchUpSeconds: { $0 % 2 == 0 ? 20 : 0 }
            )
            while system.target.count < jobs * 2 { try await pause(0.05) }
            try clock.set(7_200)
            while try system.psql("SELECT count(DISTINCT job_id) FROM job_executions WHERE status = 'SKIPPED'")
                != "\(jobs)"
            {
                try await pause(0.05)
            }
            let skipped = try system.psql(
                "SELECT count(*), min(skipped_count), max(skipped_count) FROM job_executions WHERE status = 'SKIPPED'"
            )
            let cells = skipped.split(separator: "|").compactMap { Int($0) }
            try #require(cells.count == 3, "\(skipped)")
            // One row stands for two hours.
            #expect(cells[0] == jobs && cells[1] > 7_100 && cells[2] < 7_210, "\(skipped)")
            while try system.psql("SELECT count(*) FROM shards WHERE gap_to IS NOT NULL") != "0" {
                try await pause(0.05)
            }
            try clock.set(0)
            let leader = try await system.leader()
            while !leader.text.contains("milliseconds=-7") { try await pause(0.05) }
            // It goes on in the time that has come back.
            let before = system.target.count
            while system.target.count < before + jobs * 2 { try await pause(0.05) }
            try await load.end()
            let audit = try Audit.of(load)
            print(
                "scenario the database's clock +2 h, and back: \(audit), at most \(audit.mostCallsInASecond) calls in a second"
            )
            #expect(audit.calledTwice == [] && audit.confused == [] && audit.lost == [] && audit.strangers == [])
            #expect(audit.repeatedCalls == 0)
            #expect(audit.mostCallsInASecond < flood)
            try await system.stop()
        } catch {
            for node in system.schedulers { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    @Test(arguments: [getenv("CARILLON_CHAOS") == nil ? 10.0 : 30.0])
    func `the database's clock steps back: nothing runs again`(seconds: Double) async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        let audit = try await scenario("the database's clock -\(Int(seconds)) s", system) { system in
            try await pause(3)
            let before = try databaseTime(system)
            try clock.set(-seconds)
            #expect(try databaseTime(system) < before - seconds / 2)
            // Until the leader has heard of it, at its next renewal, it goes by the old time.
            let leader = try await system.leader()
            while !leader.text.contains("the database's clock stepped") { try await pause(0.05) }
            // A job that is made now has times of its own.
            let made = try await Load.persistently {
                try await system.client.call(
                    "create_job",
                    ["schedule": "* * * * * *", "api_url": .string(system.target.url("/new"))]
                )
            }
            while !system.target.calls.contains(where: { $0.path == "/new" }) { try await pause(0.05) }
            #expect(try databaseTime(system) < before, "the new job had to wait until the old time came back")
            _ = try await Load.persistently {
                try await system.client.call("delete_job", ["job_id": .string(made["job_id"]?.string ?? "")])
            }
            while try databaseTime(system) < before + 3 { try await pause(0.2) }
        }
        #expect(audit.mostCallsInASecond < jobs * 3)
    }

    @Test func `a second more or less, as around a leap second, is nothing`() async throws {
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
