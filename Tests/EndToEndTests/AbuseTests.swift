import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonWire
import Glibc
import TestSupport
import Testing

/// Hostile peers beside ordinary users: memory stays bounded, other users are served, and no process ends (G10).
@Suite(.serialized, .alone, .timeLimit(.minutes(5)))
struct AbuseTests {
    private static let jobs = 20

    private func pause(_ seconds: Double) async throws { try await Task.sleep(for: .seconds(seconds)) }

    /// Runs a small load under abuse and checks memory, the service for other users, and the outcome of the load.
    ///
    /// - Parameters:
    ///   - jobs: the number of jobs due each second.
    ///   - growthMB: the maximum memory growth of each process.
    ///   - complaint: the log line that a process must write, at most once a minute.
    ///   - abuse: receives a closure to call at the height of the abuse, which checks that users are served.
    private func scenario(
        _ name: String,
        jobs: Int = AbuseTests.jobs,
        workers: Int = 1,
        growthMB: Double = 150,
        complaint: String,
        calling path: @Sendable (Int) -> String = { _ in "/ok" },
        _ abuse: (TestSystem, _ usersAreServed: () async throws -> Void) async throws -> Void
    ) async throws {
        let system = try await TestSystem(workers: workers)
        let nodes = system.schedulers + system.workers + [system.gateway]
        do {
            try await system.start(withGateway: true)
            let load = try await Load.begin(system, jobs: jobs, calling: path, timeoutSeconds: 2)
            try await served(system)
            let pids = nodes.map { $0.program?.pid }
            let before = nodes.map { node in
                Memory.forgetPeak(of: node.program)
                return Memory.now(of: node.program)
            }
            var isServed = false
            let began = Stopwatch.now
            let quiet = nodes.map(\.text.utf8.count)
            try await abuse(system) {
                try await served(system)
                isServed = true
            }
            #expect(isServed, "the load did not wait for the service check")
            var figures: [String] = []
            for (node, mb) in zip(nodes, before) {
                let peak = Memory.peak(of: node.program)
                figures.append("\(node.name) \(Int(mb)) MB, at most \(Int(peak)) MB")
                #expect(peak - mb < growthMB, "\(node.name) grew from \(mb) to \(peak) MB")
            }
            let said = zip(nodes, quiet).map { node, before in
                (
                    node: node,
                    complaints: Complaints(log: String(decoding: node.text.utf8.dropFirst(before), as: UTF8.self))
                )
            }
            for (node, complaints) in said {
                let repeated = complaints.repeated(withinSeconds: Stopwatch.now - began)
                #expect(repeated == [], "\(node.name) logs the same line more than once a minute")
            }
            let texts = said.map { "\($0.node.name): \($0.complaints)" }
            #expect(said.contains { $0.complaints.contains(complaint) }, "missing log line: \(texts)")
            #expect(nodes.map { $0.isRunning ? $0.program?.pid : nil } == pids, "a process ended")
            try await load.end()
            let audit = try Audit.of(load)
            print("scenario abuse, \(name): \(figures.joined(separator: "; ")); \(audit)")
            audit.expectWhole()
            try await system.stop()
        } catch {
            for node in nodes { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    /// A user of each port gets a response within seconds.
    private func served(_ system: TestSystem) async throws {
        let began = Stopwatch.now
        let job = try await system.client.call(
            "create_job",
            ["schedule": "0 0 0 1 1 *", "api_url": "http://127.0.0.1:1/", "active": false],
            timeout: .seconds(5)
        )
        _ = try await system.client.call("delete_job", ["job_id": job["job_id"] ?? .null], timeout: .seconds(5))
        let port = Int(system.gatewayURL.split(separator: ":").last ?? "") ?? 0
        while true {
            let peer = try await RawPeer.connect(port)
            peer.write("GET /api/v1/jobs?limit=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            while peer.isOpen, peer.count < 100, Stopwatch.now - began < 10 { try await pause(0.01) }
            peer.close()
            if peer.text.hasPrefix("HTTP/1.1 200 ") { break }
            // The gateway also needs a moment to connect to its scheduler.
            try #require(Stopwatch.now - began < 10, "the gateway answers: \(peer.text.prefix(300))")
            try await pause(0.1)
        }
        #expect(Stopwatch.now - began < 10)
    }

    @Test func `frames of the maximum size, garbage and false lengths`() async throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        try await scenario(
            "frames of 4 MiB, garbage, lengths that are lies",
            complaint: "protocol violation; closing the connection (kind=undecodable)"
        ) { system, usersAreServed in
            var random = SeededGenerator(seed: seed)
            let port = system.schedulerPorts[0]
            // Frames of the maximum size with an invalid job, repeatedly.
            var settings = JobSettings()
            (settings.schedule, settings.url) = ("* * * * * *", "http://127.0.0.1:1/")
            settings.body = String(repeating: "x", count: FrameDecoder.defaultMaxFrameBytes - 1_024)
            let big = MessageCodec.frame(
                of: Envelope(id: 1, .request(.createJob(settings, idempotencyKey: nil, fingerprint: nil)))
            )
            var senders: [RawPeer] = []
            for _ in 0..<5 {
                let peer = try await RawPeer.connect(port)
                peer.hello(.client)
                for _ in 0..<20 { peer.write(big) }
                senders.append(peer)
            }
            // Frames that are announced but never completed.
            var halves: [RawPeer] = []
            for _ in 0..<30 {
                let peer = try await RawPeer.connect(port)
                peer.hello(.client)
                peer.write([0, 0x3F, 0xFF, 0xFF] + [UInt8](repeating: 7, count: 2 << 20))
                halves.append(peer)
            }
            try await usersAreServed()
            var strangers: [(peer: RawPeer, greets: Bool)] = []
            for _ in 0..<100 {
                let peer = try await RawPeer.connect(port)
                let greets = random.happens(0.5)
                if greets { peer.hello(.client) }
                let length: [UInt8] = random.happens(0.5) ? [0xFF, 0xFF, 0xFF, 0xFF] : [0x00, 0x00, 0x00, 0x40]
                peer.write(length + (0..<4_096).map { _ in UInt8.random(in: 0...255, using: &random) })
                strangers.append((peer, greets))
            }
            let end = Stopwatch.now + 20
            for (peer, greets) in strangers {
                while peer.isOpen, Stopwatch.now < end { try await pause(0.01) }
                #expect(!peer.isOpen, "connection still open, greeted: \(greets), seed \(seed)")
                #expect(peer.count > 0 || !greets, "closed without an error message, seed \(seed)")
            }
            for peer in senders + halves { peer.close() }
        }
    }

    @Test func `a client that asks much and reads nothing`() async throws {
        try await scenario("a client that reads nothing", complaint: "slow reader; closing the connection") {
            system,
            usersAreServed in
            // Wait until there are executions to list.
            while system.target.count < Self.jobs * 3 { try await pause(0.05) }
            var peers: [RawPeer] = []
            for _ in 0..<5 {
                let peer = try await RawPeer.connect(system.schedulerPorts[0], reads: false)
                peer.hello(.client)
                var list = ListExecutions()
                list.limit = 100
                for id in 1...4_000 as ClosedRange<UInt64> { peer.write(.request(.listExecutions(list)), id: id) }
                peers.append(peer)
            }
            try await usersAreServed()
            // The requests queue up, and the scheduler finally closes the connection. A client that does not read
            // notices on its next write.
            for peer in peers {
                while peer.isOpen {
                    peer.write(.ping(sentMicroseconds: 1))
                    try await pause(0.05)
                }
            }
            try await usersAreServed()
        }
    }

    @Test func `two thousand idle connections`() async throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        if limit.rlim_cur < 8_192 {
            limit.rlim_cur = min(8_192, limit.rlim_max)
            setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        }
        try #require(limit.rlim_cur >= 4_096, "the system allows only \(limit.rlim_cur) open files")
        try await scenario(
            "2,000 idle connections",
            complaint: "protocol violation; closing the connection (kind=silent)"
        ) { system, usersAreServed in
            let gateway = Int(system.gatewayURL.split(separator: ":").last ?? "") ?? 0
            var silent: [RawPeer] = []
            var greeted: [RawPeer] = []
            for index in 0..<2_000 {
                let peer = try await RawPeer.connect(index % 2 == 0 ? system.schedulerPorts[0] : gateway)
                if index % 4 == 0 {
                    peer.hello(.client)
                    greeted.append(peer)
                } else {
                    silent.append(peer)
                }
            }
            try await usersAreServed()
            // The scheduler closes silent connections.
            for peer in greeted { await peer.closed() }
            try await usersAreServed()
            for peer in silent { peer.close() }
        }
    }

    @Test func `a slowloris at the gateway`() async throws {
        try await scenario(
            "slowloris at the gateway",
            complaint: "incomplete request; closing the connection"
        ) { system, usersAreServed in
            let gateway = Int(system.gatewayURL.split(separator: ":").last ?? "") ?? 0
            var peers: [RawPeer] = []
            for index in 0..<300 {
                let peer = try await RawPeer.connect(gateway)
                peer.write(
                    index % 2 == 0
                        ? "GET /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
                        : "POST /api/v1/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 900000\r\n\r\n{"
                )
                peers.append(peer)
            }
            // The time limit of a request is half a minute, however slowly its bytes arrive.
            for peer in peers {
                while peer.isOpen {
                    for other in peers where other.isOpen { other.write("x") }
                    try await usersAreServed()
                    try await pause(1)
                }
            }
        }
    }

    @Test func `a worker that grants credit for a million calls and reports none`() async throws {
        let jobs = 200
        try await scenario(
            "a worker that grants credit for a million calls and reports none",
            jobs: jobs,
            workers: 2,
            complaint: "protocol violation; closing the connection (kind=silent)"
        ) { system, usersAreServed in
            let peer = try await RawPeer.connect(system.schedulerPorts[0])
            peer.hello(.worker, maxWorkers: 1_000_000, name: "black-hole")
            let epoch = Int64(try system.psql("SELECT epoch FROM shards WHERE shard = 0")) ?? 0
            peer.write(.holding(epoch: epoch, running: []))
            peer.write(.credit(granted: 1_000_000))
            let before = system.target.count
            while peer.dispatched.count < jobs / 10 {
                try #require(peer.isOpen, "the worker got only \(peer.dispatched.count) calls")
                try await pause(0.05)
            }
            try await usersAreServed()
            // The silent worker is lost. Until then it gets no more calls than other workers leave unanswered, whatever
            // credit it granted: most of some 2,000 calls go to other workers.
            await peer.closed()
            let swallowed = peer.dispatched
            #expect(swallowed.count < jobs * 2, "\(swallowed.count) calls swallowed")
            let count = system.target.count
            #expect(count > before + jobs * 5, "\(count - before) calls made by other workers")
            // Its calls are dispatched to other workers.
            while system.target.count < count + jobs * 3 { try await pause(0.05) }
            let repeatable = swallowed.filter { !$0.atMostOnce }.map { "'\($0.executionID)'" }.joined(separator: ",")
            let open =
                "SELECT count(*) FROM job_executions WHERE execution_id IN (\(repeatable)) AND status <> 'SUCCESS'"
            while try system.psql(open) != "0" { try await pause(0.1) }
            let called = Set(system.target.calls.map(\.key))
            let single = swallowed.filter(\.atMostOnce).map(\.executionID.description)
            #expect(single.count > 0 && called.isDisjoint(with: single), "AT_MOST_ONCE, and sent to another worker")
            print("scenario: the worker got \(swallowed.count) calls, \(single.count) of them AT_MOST_ONCE")
            try await usersAreServed()
        }
    }

    @Test func `targets with endless bodies, or with a byte a second`() async throws {
        try await scenario(
            "targets without an end",
            complaint: "incomplete response from a target",
            calling: { $0 % 4 == 1 ? "/endless" : $0 % 4 == 2 ? "/drip" : "/ok" }
        ) { system, usersAreServed in
            try await pause(3)
            try await usersAreServed()
            try await pause(3)
        }
    }
}
