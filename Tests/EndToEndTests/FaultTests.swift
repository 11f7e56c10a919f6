import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonWire
import Glibc
import Synchronization
import TestSupport
import Testing

/// Faults of real processes, PostgreSQL and HTTP. With `CARILLON_CHAOS=long` each scenario runs until at least 10,000
/// executions were due (`make chaos`); otherwise it is short.
@Suite(.serialized, .alone, .timeLimit(.minutes(10)))
struct FaultTests {
    static let isLong = getenv("CARILLON_CHAOS").map { String(cString: $0) } == "long"

    private var jobs: Int { Self.isLong ? 500 : 100 }
    private var seconds: Double { Self.isLong ? 24 : 8 }
    private var leastDue: Int { Self.isLong ? 10_000 : jobs * 2 }

    /// Runs a load, injects faults meanwhile, and checks the outcome.
    func scenario(
        _ name: String,
        schedulers: Int = 1,
        workers: Int = 2,
        slots: Int = 256,
        ownCluster: Bool = false,
        withStandby: Bool = false,
        diskMegabytes: Int? = nil,
        withGateway: Bool = false,
        settings: [String: String] = [:],
        calling path: @Sendable (Int) -> String = Load.mixed,
        timeoutSeconds: Int64 = 5,
        through: (@Sendable ([Int]) async throws -> [Int])? = nil,
        breaking: (TestSystem, _ until: Double) async throws -> Void
    ) async throws -> Audit {
        let system = try await TestSystem(
            schedulers: schedulers,
            workers: workers,
            slots: slots,
            ownCluster: ownCluster,
            withStandby: withStandby,
            diskMegabytes: diskMegabytes,
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
            // Every outage is shorter than the catch-up window, so nothing is skipped.
            #expect(audit.statuses["SKIPPED"] == nil)
            #expect(audit.due >= leastDue)
            try await system.stop()
            return audit
        } catch {
            print("scenario \(name): \(error)")
            for node in system.schedulers + system.workers { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    func pause(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    @Test func nothingBreaks() async throws {
        let audit = try await scenario("no fault") { _, until in try await pause(until - Stopwatch.now) }
        #expect(audit.repeatedCalls == 0)
        #expect(audit.calls.miscounted.isEmpty, "\(audit.calls.miscounted.prefix(3))")
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
        // The lease duration plus a second.
        #expect(try #require(audit.takeOverMs) < 6_000)
    }

    @Test func workerIsStopped() async throws {
        let audit = try await scenario("SIGSTOP of a worker beyond its heartbeat") { system, until in
            try await pause(2)
            system.workers[0].signal(SIGSTOP)
            try await pause(13)
            system.workers[0].signal(SIGCONT)
            try await pause(max(3, until - Stopwatch.now))
        }
        // The row shows why the target was called twice.
        #expect(audit.calls.repeatedSilently.isEmpty, "\(audit.calls.repeatedSilently.prefix(3))")
    }

    @Test func databaseRestarts() async throws {
        _ = try await scenario(
            "PostgreSQL restarted in fast and immediate mode, and down for some seconds",
            ownCluster: true
        ) {
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
        let seed = UInt64.random(in: 0...UInt64.max)
        // In long runs some connections are silent for longer than heartbeats may be missing.
        let proxies = Proxies(silence: Self.isLong ? 0.5..<15 : 0.5..<2, seed: seed)
        let audit = try await scenario(
            "each connection of the workers cut at a random time (seed \(seed))",
            workers: 4,
            timeoutSeconds: 2,
            through: { ports in
                var through: [Int] = []
                for port in ports { through.append(try await proxies.add(port)) }
                return through
            }
        ) { _, until in
            try await pause(until - Stopwatch.now)
            proxies.calm()
        }
        let cuts = proxies.cuts
        print("scenario: \(cuts.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", "))")
        #expect(cuts.count == CuttingProxy.Cut.allCases.count, "seed \(seed)")
        #expect(audit.statuses["SUCCESS", default: 0] > 0)
        await proxies.stop()
    }

    @Test func targetIsDown() async throws {
        let audit = try await scenario("the target answering 503, then cutting, then refusing connections") {
            system,
            until in
            let length = Self.isLong ? 20.0 : 4
            try await pause(2)
            system.target.set(.failing)
            try await pause(length / 4)
            system.target.set(.cutting)
            try await pause(length / 4)
            try await system.target.refuse()
            let count = system.target.count
            try await pause(length / 2)
            for trouble in [
                "http_status = 503", "http_status IS NULL AND error_message NOT LIKE '%connection refused%'",
            ] {
                #expect(try system.psql("SELECT count(*) FROM execution_attempts WHERE \(trouble)") != "0")
            }
            let refused = "SELECT count(*) FROM execution_attempts WHERE error_message LIKE '%connection refused%'"
            while try Int(system.psql(refused)) ?? 0 < jobs { try await pause(0.02) }
            #expect(system.target.count == count)
            try await system.target.listen()
            system.target.set(nil)
            try await pause(max(2, until - Stopwatch.now))
        }
        #expect(audit.statuses["FAILED", default: 0] > 0)
        #expect(audit.statuses["SUCCESS", default: 0] > 0)
    }

    @Test func targetHangs() async throws {
        let audit = try await scenario(
            "the target hanging, for some jobs and then for all",
            // Every call takes its full timeout and is made twice. There are slots for all calls, so none is late.
            slots: jobs * 3,
            calling: { $0 % 10 == 4 ? "/hang" : Load.mixed($0) },
            timeoutSeconds: 1
        ) { system, until in
            try await pause(2)
            system.target.set(.hanging)
            try await pause(Self.isLong ? 20 : 3)
            system.target.set(nil)
            try await pause(max(2, until - Stopwatch.now))
        }
        #expect(audit.statuses["FAILED", default: 0] > 0)
        #expect(audit.statuses["SUCCESS", default: 0] > 0)
    }

    @Test func readyQueueIsFull() async throws {
        // With calls of 100 ms, the slots can handle four fifths of the due executions.
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

    @Test func openExecutionsReachTheirLimit() async throws {
        let limit = jobs * 3 / 2
        let audit = try await scenario(
            "MAX_OPEN_EXECUTIONS reached, while the target holds every call",
            workers: 1,
            slots: jobs / 2,
            settings: ["MAX_OPEN_EXECUTIONS": "\(limit)"],
            calling: { _ in "/ok" },
            timeoutSeconds: 60
        ) { system, until in
            let scheduler = system.schedulers[0]
            func count(_ words: String) -> Int { scheduler.text.split(separator: "\n").count { $0.contains(words) } }
            let list = try await system.client.call("list_jobs", ["limit": 1])
            let job = list["jobs"]?.array?.first?["job_id"] ?? .null
            // Due times held back for more than five seconds count as missed; others only start late.
            for seconds: Double in Self.isLong ? [2, 6.5, 2, 6.5] : [6] {
                try await pause(1)
                let held = count("too many open executions; due times wait")
                let outages = count("catching up on missed times")
                system.target.set(.holding)
                while count("too many open executions; due times wait") == held { try await pause(0.02) }
                let release = Stopwatch.now + seconds
                await #expect { _ = try await system.client.call("run_job", ["job_id": job]) } throws: {
                    ($0 as? ClientError)?.code == .resourceExhausted
                }
                while Stopwatch.now < release {
                    let cluster = try await system.client.call("get_cluster", [:])
                    #expect(cluster["open_executions"]?.integer == Int64(limit))
                    try await pause(0.1)
                }
                system.target.set(nil)
                while seconds > 5 && count("caught up") == outages { try await pause(0.02) }
                #expect(count("catching up on missed times") == outages + (seconds > 5 ? 1 : 0))
            }
            try await pause(max(1, until - Stopwatch.now))
        }
        #expect(audit.repeatedCalls == 0)
        #expect(audit.calls.miscounted.isEmpty, "\(audit.calls.miscounted.prefix(3))")
        #expect(audit.late > 0)
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
        var reads = GatewayReader.Counts()
        let audit = try await scenario(
            "rolling restart of everything with SIGTERM",
            schedulers: 2,
            withGateway: true
        ) { system, until in
            let list = try await system.client.call("list_jobs", ["limit": 1])
            let reader = GatewayReader(system, job: list["jobs"]?.array?.first?["job_id"]?.string ?? "")
            // The gateway needs a moment to connect.
            while reader.counts.right == 0 { await reader.read() }
            let beginning = reader.counts.refused
            async let reading: Void = reader.run()
            // Like an operator: restart the next process once the previous one is ready.
            for node in system.workers {
                try await pause(1)
                let known = system.schedulers.map { system.connections(to: $0) }
                node.signal(SIGTERM)
                #expect(try await node.ended() == .exited(0))
                try node.start()
                // The standby may lead next, so the worker must be connected to it too.
                while zip(system.schedulers, known).contains(where: { system.connections(to: $0) <= $1 }) {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await system.untilServing()
            }
            try await reader.served()
            #expect(reader.counts.refused == beginning)
            system.gateway.signal(SIGTERM)
            #expect(try await system.gateway.ended() == .exited(0))
            try system.gateway.start()
            try await reader.served()
            let refused = reader.counts.refused
            #expect(refused > beginning)
            for node in system.schedulers {
                try await pause(1)
                let known = system.connections(to: node)
                node.signal(SIGTERM)
                #expect(try await node.ended() == .exited(0))
                try node.start()
                while system.connections(to: node) < known + system.workers.count {
                    try await Task.sleep(for: .milliseconds(20))
                }
                try await reader.served()
            }
            try await pause(max(1, until - Stopwatch.now))
            reader.end()
            try await reading
            reads = reader.counts
            #expect(reads.refused == refused, "refused when the gateway was not restarted")
        }
        print("scenario: \(reads.right) reads through the gateway, \(reads.refused) refused")
        #expect(reads.wrong.isEmpty, "\(reads.wrong.count) wrong answers, such as \(reads.wrong.prefix(2))")
        #expect(audit.repeatedCalls == 0)
        #expect(audit.calls.miscounted.isEmpty, "\(audit.calls.miscounted.prefix(3))")
        #expect(audit.worstDriftMs < 2_000)
    }

    @Test func everythingIsKilledAtOnce() async throws {
        _ = try await scenario(
            "kill -9 of everything, PostgreSQL too, and a cold start",
            schedulers: 2,
            ownCluster: true,
            withGateway: true
        ) { system, until in
            let nodes = system.workers + system.schedulers + [system.gateway]
            try await pause(3)
            for node in nodes { node.signal(SIGKILL) }
            try system.cluster.kill()
            for node in nodes { #expect(try await node.ended() == .signalled(SIGKILL)) }
            try await pause(1)
            // Every process waits for those that it needs, so the order does not matter. The database starts last.
            for node in nodes { try node.start() }
            try await pause(0.5)
            try system.cluster.start()
            try await system.untilServing()
            let list = try await system.client.call("list_jobs", ["limit": 1])
            let reader = GatewayReader(system, job: list["jobs"]?.array?.first?["job_id"]?.string ?? "")
            while reader.counts.right == 0 { await reader.read() }
            try await pause(max(2, until - Stopwatch.now))
        }
    }
}

/// The proxies of a scenario, one for each scheduler.
private final class Proxies: Sendable {
    private let proxies = Mutex<[CuttingProxy]>([])
    private let silence: Range<Double>
    private let seed: UInt64

    init(silence: Range<Double>, seed: UInt64) { (self.silence, self.seed) = (silence, seed) }

    func add(_ port: Int) async throws -> Int {
        let count = proxies.withLock { $0.count }
        let proxy = try await CuttingProxy.start(
            to: port,
            life: 0.05..<1,
            silence: silence,
            seed: seed &+ UInt64(count)
        )
        proxies.withLock { $0.append(proxy) }
        return proxy.port
    }

    var cuts: [CuttingProxy.Cut: Int] {
        proxies.withLock { $0 }.reduce(into: [:]) { $0.merge($1.cuts, uniquingKeysWith: +) }
    }

    func calm() { for proxy in proxies.withLock({ $0 }) { proxy.calm() } }

    func stop() async { for proxy in proxies.withLock({ $0 }) { await proxy.stop() } }
}
