import Glibc
import Synchronization
import TestSupport
import Testing

/// Real processes, real PostgreSQL, real HTTP, and something that breaks. `CARILLON_CHAOS=long` runs each scenario until at
/// least 10,000 times were due (`make chaos`); otherwise it is short.
@Suite(.serialized, .alone, .timeLimit(.minutes(10)))
struct FaultTests {
    private static let isLong = getenv("CARILLON_CHAOS").map { String(cString: $0) } == "long"

    private var jobs: Int { Self.isLong ? 500 : 100 }
    private var seconds: Double { Self.isLong ? 24 : 8 }
    private var leastDue: Int { Self.isLong ? 10_000 : jobs * 2 }

    /// Runs a load, breaks things meanwhile, and looks at what became of it.
    private func scenario(
        _ name: String,
        schedulers: Int = 1,
        workers: Int = 2,
        slots: Int = 256,
        ownCluster: Bool = false,
        calling path: @Sendable (Int) -> String = Load.mixed,
        timeoutSeconds: Int64 = 5,
        withGateway: Bool = false,
        settings: [String: String] = [:],
        through: (@Sendable ([Int]) async throws -> [Int])? = nil,
        breaking: (TestSystem, _ until: Double) async throws -> Void
    ) async throws -> Audit {
        let system = try await TestSystem(
            schedulers: schedulers,
            workers: workers,
            slots: slots,
            ownCluster: ownCluster,
            through: through,
            settings: settings
        )
        do {
            try await system.start(withGateway: withGateway)
            let load = try await Load.begin(system, jobs: jobs, calling: path, timeoutSeconds: timeoutSeconds)
            try await breaking(system, Stopwatch.now + seconds)
            try await load.end()
            let audit = try Audit.of(load)
            print("scenario \(name): \(audit)")
            audit.expectWhole()
            // No outage is as long as the window in which all that was missed is made up for.
            #expect(audit.statuses["SKIPPED"] == nil)
            #expect(audit.due >= leastDue)
            try await system.stop()
            return audit
        } catch {
            for node in system.schedulers + system.workers { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    private func pause(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    @Test func nothingBreaks() async throws {
        let audit = try await scenario("nothing breaks") { _, until in try await pause(until - Stopwatch.now) }
        #expect(audit.repeatedCalls == 0)
    }

    @Test func workerIsKilledAgainAndAgain() async throws {
        _ = try await scenario("kill -9 of a worker every 2 s") { system, until in
            while Stopwatch.now < until {
                try await pause(1.9)
                system.workers[0].kill()
                try system.workers[0].start()
            }
        }
    }

    @Test func schedulerIsKilledAgainAndAgain() async throws {
        _ = try await scenario("kill -9 of the scheduler every 5 s") { system, until in
            while Stopwatch.now < until {
                try await pause(3)
                system.schedulers[0].kill()
                try await pause(0.5)
                try system.schedulers[0].start()
                try await system.untilServing()
                try await pause(1)
            }
        }
    }

    @Test func leaderIsKilled() async throws {
        let audit = try await scenario("kill -9 of the leader of two", schedulers: 2) { system, until in
            try await pause(3)
            let leader = try await system.killLeader()
            try await pause(until - Stopwatch.now)
            try leader.start()
        }
        #expect(audit.worstDriftMs < 2_000)
        #expect(try #require(audit.takeOverMs) < 2_000)
    }

    @Test func leaderIsStopped() async throws {
        let length = Self.isLong ? 15 : 8
        let audit = try await scenario("SIGSTOP of the leader of two for \(length) s, then SIGCONT", schedulers: 2) {
            system,
            until in
            try await pause(3)
            let leader = try await system.killLeader(with: SIGSTOP)
            try await pause(Double(length))
            leader.signal(SIGCONT)
            try await pause(max(3, until - Stopwatch.now))
        }
        // The lease, and a second.
        #expect(try #require(audit.takeOverMs) < 6_000)
    }

    @Test func workerIsStopped() async throws {
        _ = try await scenario("SIGSTOP of a worker beyond its heartbeat") { system, until in
            try await pause(2)
            system.workers[0].signal(SIGSTOP)
            try await pause(13)
            system.workers[0].signal(SIGCONT)
            try await pause(max(3, until - Stopwatch.now))
        }
    }

    @Test func databaseRestarts() async throws {
        _ = try await scenario("PostgreSQL restarted fast, immediate, and down for some seconds", ownCluster: true) {
            system,
            until in
            try await pause(2)
            try system.cluster.restart(.fast)
            try await pause(2)
            try system.cluster.restart(.immediate)
            try await pause(2)
            try system.cluster.stop(.fast)
            try await pause(Self.isLong ? 20 : 4)
            try system.cluster.start()
            try await pause(max(2, until - Stopwatch.now))
        }
    }

    @Test func connectionsAreCut() async throws {
        let proxies = Proxies()
        let seed = UInt64.random(in: 0...UInt64.max)
        _ = try await scenario(
            "the connections of the workers cut one by one, some one way (seed \(seed))",
            through: { ports in
                var through: [Int] = []
                for port in ports { through.append(try await proxies.add(port)) }
                return through
            }
        ) { _, until in
            var random = SeededGenerator(seed: seed)
            while Stopwatch.now < until {
                try await pause(Double.random(in: 0.05..<0.5, using: &random))
                if random.happens(0.1) { proxies.cut() } else { proxies.cutOne(using: &random) }
            }
        }
        await proxies.stop()
    }

    @Test func targetIsDown() async throws {
        let audit = try await scenario("the target down, closing what comes and then refusing it") { system, until in
            try await pause(2)
            system.target.setDown(true)
            try await pause(Self.isLong ? 10 : 1.5)
            try await system.target.refuse()
            let refused = "e.error_message ILIKE '%connect%'"
            while try system.psql("SELECT count(*) > 0 FROM job_executions e WHERE \(refused)") != "t" {
                try await pause(0.05)
            }
            try await pause(Self.isLong ? 10 : 1)
            try await system.target.listen()
            system.target.setDown(false)
            try await pause(max(2, until - Stopwatch.now))
        }
        #expect(audit.statuses["FAILED", default: 0] > 0)
    }

    @Test func targetHangs() async throws {
        let audit = try await scenario(
            "the target hanging, for some jobs and then for all",
            // Every call lasts its whole timeout, and is made twice: slots for them all, so that none is late.
            slots: jobs * 3,
            calling: { $0 % 10 == 4 ? "/hang" : Load.mixed($0) },
            timeoutSeconds: 1
        ) { system, until in
            try await pause(2)
            system.target.setHanging(true)
            try await pause(Self.isLong ? 20 : 3)
            system.target.setHanging(false)
            try await pause(max(2, until - Stopwatch.now))
        }
        #expect(audit.statuses["FAILED", default: 0] > 0)
        #expect(audit.statuses["SUCCESS", default: 0] > 0)
    }

    @Test func readyQueueIsFull() async throws {
        // Calls of 100 ms: the slots do four fifths of what is due.
        let audit = try await scenario(
            "a full ready queue: few slots, a slow target",
            workers: 1,
            slots: jobs * 8 / 100,
            calling: { _ in "/slow" }
        ) { _, until in try await pause(until - Stopwatch.now) }
        #expect(audit.repeatedCalls == 0)
        #expect(audit.late > 0, "the queue was never full")
        #expect(Set(audit.statuses.keys) == ["SUCCESS"])
    }

    @Test func moreIsDueThanMayBeOpen() async throws {
        // Calls of 100 ms, slots for four fifths of them, and memory for no more than a second's due times beside.
        let audit = try await scenario(
            "MAX_OPEN_EXECUTIONS met",
            workers: 1,
            slots: jobs * 8 / 100,
            calling: { _ in "/slow" },
            settings: ["MAX_OPEN_EXECUTIONS": "\(jobs * 5 / 4)"]
        ) { system, until in
            while !system.schedulers[0].text.contains("too many open executions") { try await pause(0.1) }
            let open = try system.psql("SELECT count(*) FROM job_executions WHERE status IN ('PENDING', 'RUNNING')")
            #expect(try #require(Int(open)) <= jobs * 5 / 4)
            try await pause(max(2, until - Stopwatch.now))
        }
        #expect(audit.repeatedCalls == 0)
        #expect(Set(audit.statuses.keys) == ["SUCCESS"])
    }

    @Test(arguments: [false, true]) func jobsAreEditedAllTheTime(throughTakeOver: Bool) async throws {
        let system = try await TestSystem(schedulers: 2, workers: 2)
        // Half of the time a job is paused or due less often.
        let seconds = Self.isLong ? 45 : self.seconds
        do {
            try await system.start()
            let storm = try await EditStorm.begin(system, jobs: jobs, seed: UInt64.random(in: 0...UInt64.max))
            async let edits: Void = storm.rage(until: Stopwatch.now + seconds)
            if throughTakeOver {
                try await pause(seconds / 3)
                let first = try await system.killLeader()
                try await pause(seconds / 3)
                try first.start()
                _ = try await system.killLeader()
            }
            try await edits
            let audit = try await storm.end()
            print("scenario an edit storm\(throughTakeOver ? " through two take-overs" : ""): \(audit)")
            audit.expectWhole()
            #expect(audit.due >= (Self.isLong ? 10_000 : jobs) && audit.edits > jobs)
            if throughTakeOver { #expect(try #require(audit.takeOverMs) < 2_000) }
            try await system.stop()
        } catch {
            for node in system.schedulers { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    @Test func everythingIsRestartedInOrder() async throws {
        let audit = try await scenario(
            "rolling restart with SIGTERM, the gateway too",
            schedulers: 2,
            withGateway: true
        ) { system, until in
            let job = try system.psql("SELECT job_id FROM jobs ORDER BY job_id LIMIT 1")
            let reader = Reader("/api/v1/jobs/\(job)", at: system.gatewayPort)
            defer { reader.stop() }
            // As an operator does: the next one only when the one before is ready.
            for node in system.workers {
                try await pause(1)
                let known = system.schedulers.map { system.connections(to: $0) }
                node.signal(SIGTERM)
                #expect(try await node.ended() == .exited(0))
                try node.start()
                // The standby may lead next: it has to know the worker, too.
                while zip(system.schedulers, known).contains(where: { system.connections(to: $0) <= $1 }) {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await system.untilServing()
            }
            for node in system.schedulers {
                try await pause(1)
                let known = system.connections(to: node)
                node.signal(SIGTERM)
                #expect(try await node.ended() == .exited(0))
                try node.start()
                while system.connections(to: node) < known + system.workers.count {
                    try await Task.sleep(for: .milliseconds(20))
                }
            }
            try await reader.untilAnswered()
            reader.mayBeRefused(true)
            system.gateway.signal(SIGTERM)
            #expect(try await system.gateway.ended() == .exited(0))
            try system.gateway.start()
            try await reader.untilAnswered()
            reader.mayBeRefused(false)
            try await pause(max(1, until - Stopwatch.now))
            reader.stop()
            #expect(reader.wrong == [], "who reads through the gateway was given something else than the job")
            #expect(reader.answered > 20)
        }
        #expect(audit.repeatedCalls == 0)
        #expect(audit.worstDriftMs < 2_000)
    }

    @Test func everythingIsKilledAtOnce() async throws {
        _ = try await scenario(
            "kill -9 of everything, PostgreSQL and the gateway too, and a cold start",
            schedulers: 2,
            ownCluster: true,
            withGateway: true
        ) { system, until in
            try await pause(3)
            for node in [system.gateway] + system.workers + system.schedulers { node.kill() }
            try system.cluster.kill()
            try await pause(1)
            // All at once, as a machine does that was switched on.
            for node in [system.gateway] + system.workers + system.schedulers { try node.start() }
            try system.cluster.start()
            try await system.untilServing()
            while await Reader.status(of: "/readyz", at: system.gatewayPort) != 200 { try await pause(0.05) }
            try await pause(max(2, until - Stopwatch.now))
        }
    }
}

/// The proxies of one scenario.
private final class Proxies: Sendable {
    private let proxies = Mutex<[CuttingProxy]>([])

    func add(_ port: Int) async throws -> Int {
        let proxy = try await CuttingProxy.start(to: port)
        proxies.withLock { $0.append(proxy) }
        return proxy.port
    }

    func cut() { for proxy in proxies.withLock({ $0 }) { proxy.cut() } }

    func cutOne(using random: inout SeededGenerator) {
        proxies.withLock { $0 }.randomElement(using: &random)?.cutOne(using: &random)
    }

    func stop() async { for proxy in proxies.withLock({ $0 }) { await proxy.stop() } }
}
