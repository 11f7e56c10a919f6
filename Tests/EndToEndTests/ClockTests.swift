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

    private func pause(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    /// Runs a load with some clock set meanwhile.
    private func scenario(
        _ name: String,
        _ system: TestSystem,
        catchUpSeconds: @Sendable (Int) -> Int64 = { _ in 60 },
        setting: (TestSystem) async throws -> Void
    ) async throws -> Audit {
        do {
            try await system.start()
            let load = try await Load.begin(system, jobs: jobs, catchUpSeconds: catchUpSeconds)
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
            try await pause(2)
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

    @Test func `the database's clock steps forward: what was missed runs or is skipped by policy`() async throws {
        let clock = try FakeClock()
        let system = try await TestSystem(schedulers: 2, ownCluster: true, clusterEnvironment: clock.environment)
        // Half of the jobs make up for all of a minute, the others for five seconds and then for the last time only.
        _ = try await scenario(
            "the database's clock +30 s",
            system,
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
