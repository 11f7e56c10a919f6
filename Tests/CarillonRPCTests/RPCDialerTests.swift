import CarillonCore
import CarillonRPC
import CarillonRuntime
import CarillonWire
import TestSupport
import Testing

/// A receiver for the tests of the worker's side.
private final class StubWorker: SchedulerReceiver, Sendable {
    enum Event: Sendable {
        case connected(ConnectionID, String, Welcome)
        case received(ConnectionID, [Envelope])
        case disconnected(ConnectionID, String)
    }

    let journal = Journal<Event>()

    func connected(_ connection: ConnectionID, to scheduler: String, welcome: Welcome, link: any PeerLink) {
        journal.append(.connected(connection, scheduler, welcome))
        link.send([Envelope(.credit(granted: 4))])
    }

    func received(_ envelopes: [Envelope], from connection: ConnectionID) {
        journal.append(.received(connection, envelopes))
    }

    func disconnected(_ connection: ConnectionID, why: String) {
        journal.append(.disconnected(connection, why))
    }
}

@Suite(.timeLimit(.minutes(1))) struct RPCDialerTests {
    private static let hello = Hello(
        role: .worker,
        name: "w1",
        bootID: UniqueID(high: 3, low: 4),
        maxWorkers: 4,
        version: "test"
    )

    private func dialer(_ endpoints: [HostPort]) -> RPCDialer {
        RPCDialer(schedulers: endpoints, logger: quiet)
    }

    @Test func everySchedulerIsDialled() async throws {
        let one = try await Station.open(1)
        let other = try await Station.open(2)
        let worker = StubWorker()
        let dialer = dialer([one.endpoint, other.endpoint])
        dialer.start(hello: { RPCDialerTests.hello }, receiver: worker)
        for station in [one, other] {
            let (id, hello) = await station.scheduler.nextConnection()
            #expect(hello == RPCDialerTests.hello)
            _ = await station.scheduler.journal.first {
                if case .received(_, let envelopes) = $0 { envelopes.names == ["credit"] } else { false }
            }
            station.scheduler.link(id)?.send([Envelope(.lead(LeadProof(epoch: 9), shards: [1, 2]))])
        }
        _ = await worker.journal.first {
            if case .received(_, let envelopes) = $0 { envelopes.names == ["lead"] } else { false }
        }
        dialer.stop()
        #expect(await one.scheduler.disconnection() == "the peer sent Goodbye: the worker stops")
        await one.server.stop()
        await other.server.stop()
    }

    @Test func aLostConnectionIsDialledAgain() async throws {
        let station = try await Station.open()
        let worker = StubWorker()
        let dialer = dialer([station.endpoint])
        dialer.start(hello: { RPCDialerTests.hello }, receiver: worker)
        var known: [ConnectionID] = []
        for _ in 0..<3 {
            let (id, _) = await station.scheduler.nextConnection(after: known)
            known.append(id)
            station.scheduler.link(id)?.close(why: "again")
        }
        #expect(
            worker.journal.elements.contains {
                if case .disconnected(_, let why) = $0 { why == "the scheduler sent Goodbye: again" } else { false }
            }
        )
        dialer.stop()
        await station.server.stop()
    }

    @Test func aSchedulerThatStartsLater() async throws {
        let first = try await Station.open()
        let endpoint = first.endpoint
        await first.server.stop()
        let worker = StubWorker()
        let dialer = dialer([endpoint])
        dialer.start(hello: { RPCDialerTests.hello }, receiver: worker)
        let second = try await Station.open(2, port: endpoint.port)
        let (_, hello) = await second.scheduler.nextConnection()
        #expect(hello.name == "w1")
        dialer.stop()
        await second.server.stop()
    }

    @Test func twoAddressesOfOneSchedulerAreOneConnection() async throws {
        let station = try await Station.open()
        let worker = StubWorker()
        let dialer = dialer([station.endpoint, HostPort(host: "localhost", port: station.endpoint.port)])
        dialer.start(hello: { RPCDialerTests.hello }, receiver: worker)
        let why = await station.scheduler.disconnection()
        #expect(why == "the peer sent Goodbye: the same scheduler is connected through another address")
        #expect(station.scheduler.connectionIDs.count == 1)
        // The resting address is dialled when the other connection ends.
        let id = try #require(station.scheduler.connectionIDs.first)
        station.scheduler.link(id)?.close(why: "cut")
        _ = await station.scheduler.nextConnection(
            after: station.scheduler.journal.elements.compactMap {
                if case .connected(let id, _, _) = $0 { id } else { nil }
            }
        )
        dialer.stop()
        await station.server.stop()
    }

    @Test func aSilentSchedulerIsDisconnected() async throws {
        // Its Welcome sets a short heartbeat; then the server is stopped without a Goodbye.
        let station = try await Station.open(limits: ConnectionLimits(heartbeatMs: 50, silenceMs: 60_000))
        let worker = StubWorker()
        let dialer = dialer([station.endpoint])
        dialer.start(hello: { RPCDialerTests.hello }, receiver: worker)
        _ = await station.scheduler.nextConnection()
        let held = RawSocket(station.endpoint)
        _ = held
        // The station answers Pings, so the worker stays.
        _ = await station.scheduler.journal.first { if case .skew = $0 { true } else { false } }
        #expect(
            !worker.journal.elements.contains { if case .disconnected = $0 { true } else { false } }
        )
        dialer.stop()
        await station.server.stop()
    }
}
