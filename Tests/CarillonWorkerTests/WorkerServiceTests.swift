import CarillonCore
import CarillonRuntime
import CarillonSystem
import CarillonWire
import CarillonWorker
import Logging
import Synchronization
import TestSupport
import Testing

@Suite("WorkerService", .timeLimit(.minutes(1)))
struct WorkerServiceTests {
    /// A service with a fake network and a fake HTTP client.
    private struct Bench {
        let service: WorkerService
        let dialer = FakeDialer()
        let registry = MetricsRegistry()
        let caller: FakeCaller

        init(maxWorkers: Int = 8) throws {
            let held = Mutex<FakeCaller?>(nil)
            service = WorkerService(
                configuration: WorkerConfiguration(
                    name: "w-1",
                    bootID: UniqueID(high: 1, low: 2),
                    maxWorkers: maxWorkers,
                    version: "9.9"
                ),
                dialer: dialer,
                metrics: WorkerMetrics(registry: registry),
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            ) { deliver in
                let caller = FakeCaller(deliver: deliver)
                held.withLock { $0 = caller }
                return caller
            }
            caller = try #require(held.withLock { $0 })
            service.start()
        }
    }

    private func call(_ sequence: UInt64, after microseconds: UInt64 = 0) -> DispatchedCall {
        DispatchedCall(
            token: DispatchToken(epoch: 1, sequence: sequence),
            shard: 0,
            executionID: ExecutionID(UniqueID(high: 1, low: sequence)),
            jobID: JobID(UniqueID(high: 2, low: 2)),
            attempt: 1,
            scheduledTime: Timestamp(milliseconds: 0),
            startAfterMicroseconds: microseconds,
            kind: .http(HTTPCall(url: "http://127.0.0.1/")),
            timeoutMs: 1_000,
            connectTimeoutMs: 1_000,
            atMostOnce: false,
            responseLimit: 100
        )
    }

    private static func outcomes(_ messages: [Message]) -> [CallOutcome] {
        messages.flatMap { message -> [CallOutcome] in
            if case .outcome(let outcomes) = message { outcomes } else { [] }
        }
    }

    private static func credits(_ messages: [Message]) -> [UInt64] {
        messages.compactMap { message -> UInt64? in
            if case .credit(let granted) = message { granted } else { nil }
        }
    }

    @Test("Hello carries the worker's identity")
    func hello() throws {
        let bench = try Bench()
        let hello = try #require(bench.dialer.hello)
        #expect(hello.role == .worker)
        #expect(hello.name == "w-1")
        #expect(hello.bootID == UniqueID(high: 1, low: 2))
        #expect(hello.maxWorkers == 8)
        #expect(hello.version == "9.9")
    }

    @Test("a call runs from dispatch to acknowledgement")
    func roundTrip() async throws {
        let bench = try Bench()
        let (id, link) = bench.dialer.connect()
        bench.dialer.say(.lead(LeadProof(epoch: 1), shards: [0]), on: id)
        let answer = await link.said.until { !Self.credits($0).isEmpty }
        #expect(answer == [.holding(epoch: 1, running: []), .credit(granted: 8)])
        bench.dialer.say(.dispatch(clusterTime: Timestamp(milliseconds: 0), [call(1), call(2)]), on: id)
        let started = await bench.caller.started.until { $0.count == 2 }
        #expect(started.map(\.token.sequence) == [1, 2])
        bench.caller.end([call(1).token])
        bench.caller.end([call(2).token], status: 500)
        let said = await link.said.until { Self.outcomes($0).count == 2 }
        #expect(Self.outcomes(said).map(\.httpStatus) == [200, 500])
        bench.dialer.say(
            .outcomeAck([AcknowledgedOutcome(call(1).token, .recorded), AcknowledgedOutcome(call(2).token, .recorded)]),
            on: id
        )
        await link.said.until { Self.credits($0).last == 10 }
        let text = bench.registry.render()
        #expect(text.contains("carillon_calls_total{result=\"success\"} 1"))
        #expect(text.contains("carillon_calls_total{result=\"failure\"} 1"))
        #expect(text.contains("carillon_connected_schedulers 1"))
    }

    @Test("a call waits for its relative start time")
    func relativeStart() async throws {
        let bench = try Bench()
        let (id, _) = bench.dialer.connect()
        let begin = SystemClock.bootTime()
        bench.dialer.say(
            .lead(LeadProof(epoch: 1), shards: [0]),
            .dispatch(clusterTime: Timestamp(milliseconds: 0), [call(1, after: 20_000)]),
            on: id
        )
        await bench.caller.started.until { $0.count == 1 }
        #expect(SystemClock.bootTime() - begin >= 20_000_000)
    }

    @Test("outcomes wait for a leader after the connection is lost")
    func reconnect() async throws {
        let bench = try Bench()
        let (first, _) = bench.dialer.connect()
        bench.dialer.say(
            .lead(LeadProof(epoch: 1), shards: [0]),
            .dispatch(clusterTime: Timestamp(milliseconds: 0), [call(1), call(2)]),
            on: first
        )
        await bench.caller.started.until { $0.count == 2 }
        bench.dialer.cut(first)
        bench.caller.end([call(1).token])
        let (second, link) = bench.dialer.connect()
        bench.dialer.say(.lead(LeadProof(epoch: 1), shards: [0]), on: second)
        let said = await link.said.until { !Self.credits($0).isEmpty }
        // On a slow machine the other call has been running for a second by now.
        #expect(said.map(\.name).filter { $0 != "started" } == ["holding", "outcome", "credit"])
        #expect(Self.credits(said) == [7])
    }

    @Test("Cancel is passed to the HTTP client")
    func cancel() async throws {
        let bench = try Bench()
        let (id, link) = bench.dialer.connect()
        bench.dialer.say(
            .lead(LeadProof(epoch: 1), shards: [0]),
            .dispatch(clusterTime: Timestamp(milliseconds: 0), [call(1)]),
            on: id
        )
        await bench.caller.started.until { $0.count == 1 }
        bench.dialer.say(.cancel([call(1).token]), on: id)
        let said = await link.said.until { !Self.outcomes($0).isEmpty }
        #expect(Self.outcomes(said).map(\.kind) == [.cancelled])
    }

    @Test("readiness follows the leader")
    func readiness() async throws {
        let bench = try Bench()
        #expect(!bench.service.readiness.isReady)
        let (id, link) = bench.dialer.connect()
        bench.dialer.say(.lead(LeadProof(epoch: 1), shards: [0]), on: id)
        await link.said.until { !Self.credits($0).isEmpty }
        // The status is published at the end of the turn, so the next event starts only afterwards.
        bench.dialer.say(.lead(LeadProof(epoch: 1), shards: [0]), on: id)
        await link.said.until { Self.credits($0).count == 2 }
        #expect(bench.service.readiness.isReady)
        #expect(bench.service.readiness.text == "taking calls from scheduler:7070, epoch 1")
    }

    @Test("a drain finishes running calls, delivers their outcomes, and stops")
    func drain() async throws {
        let bench = try Bench()
        let (id, link) = bench.dialer.connect()
        bench.dialer.say(
            .lead(LeadProof(epoch: 1), shards: [0]),
            .dispatch(clusterTime: Timestamp(milliseconds: 0), [call(1)]),
            on: id
        )
        await bench.caller.started.until { $0.count == 1 }
        async let drained: Void = bench.service.drain()
        await link.said.until { $0.contains(.drain) }
        #expect(!bench.service.readiness.isReady || bench.caller.shutdowns.elements.isEmpty)
        bench.caller.end([call(1).token])
        await link.said.until { Self.outcomes($0).count == 1 }
        #expect(bench.dialer.stops.elements.isEmpty)
        bench.dialer.say(.outcomeAck([AcknowledgedOutcome(call(1).token, .recorded)]), on: id)
        await drained
        #expect(bench.dialer.stops.elements.count == 1)
        #expect(bench.caller.shutdowns.elements.count == 1)
    }

    @Test("a drain without schedulers does not wait")
    func lonelyDrain() async throws {
        let bench = try Bench()
        await bench.service.drain()
        #expect(bench.caller.shutdowns.elements.count == 1)
    }
}
