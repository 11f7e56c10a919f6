import CarillonCore
import CarillonRPC
import CarillonRuntime
import CarillonWire
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct RPCServerTests {
    @Test func handshakeAndARequest() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello() + [Envelope(id: 7, .request(.refreshSchedule))])
        let envelopes = await socket.read { $0.id == 7 }
        guard case .welcome(let welcome) = envelopes.first?.message else {
            Issue.record("no Welcome")
            return
        }
        #expect(welcome.serverID == station.scheduler.id)
        #expect(welcome.heartbeatMs == 2_000)
        #expect(welcome.maxFrameBytes == 4 << 20)
        #expect(envelopes.last?.message == .answer(.scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: 1)))
        await station.server.stop()
        let rest = await socket.read()
        #expect(rest.goodbye == "the scheduler stops")
    }

    @Test func messagesOfOneReadComeTogether() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello())
        _ = await socket.read { $0.message.name == "welcome" }
        socket.write((1...200).map { Envelope(id: $0, .request(.refreshSchedule)) })
        let answers = await socket.read { $0.id == 200 }
        #expect(answers.map(\.id) == Array(1...200))
        let batches = station.scheduler.journal.elements.filter { if case .received = $0 { true } else { false } }
        #expect(batches.count < 20)
        await station.server.stop()
    }

    @Test func garbageClosesOnlyThatConnection() async throws {
        let station = try await Station.open()
        let good = RawSocket(station.endpoint)
        good.write(good.hello())
        _ = await good.read { $0.message.name == "welcome" }
        for garbage: [UInt8] in [
            Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8), [0, 0, 0, 2, 0xFF, 0xFF], [0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            let bad = RawSocket(station.endpoint)
            bad.write(garbage)
            let last = await bad.read()
            #expect(last.error?.code == .invalidArgument || last.error?.code == .resourceExhausted)
        }
        good.write([Envelope(id: 1, .request(.refreshSchedule))])
        #expect(await good.answer(to: 1)?.message.name == "schedule_refreshed")
        await station.server.stop()
    }

    /// The server answers the pings after the client has disconnected: the writes fail, and SwiftNIO reads the rest from within them.
    @Test func clientThatDisconnectsDuringPingsDisturbsNoOther() async throws {
        let station = try await Station.open()
        let pings = (1...4_000).flatMap { MessageCodec.frame(of: Envelope(id: $0, .ping(sentMicroseconds: 1))) }
        for _ in 0..<50 {
            let socket = RawSocket(station.endpoint)
            socket.write(socket.hello())
            _ = await socket.read { $0.message.name == "welcome" }
            // Closing a socket with unread bytes sends a reset.
            socket.write(pings)
        }
        let good = RawSocket(station.endpoint)
        good.write(good.hello() + [Envelope(id: 1, .request(.refreshSchedule))])
        #expect(await good.answer(to: 1) != nil)
        await station.server.stop()
    }

    @Test func garbageAfterTheHandshake() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello())
        _ = await socket.read { $0.message.name == "welcome" }
        socket.write([0, 0, 0, 4, 0x08, 1, 0xAB, 0x06])
        let last = await socket.read()
        #expect(last.error?.text == "wire type 3 is not used by this protocol")
        #expect(await station.scheduler.disconnection().hasPrefix("undecodable"))
        await station.server.stop()
    }

    @Test func aWrongFieldInARequestIsAnswered() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello())
        _ = await socket.read { $0.message.name == "welcome" }
        // get_job with an id of three bytes.
        socket.write([0, 0, 0, 10, 0x08, 5, 0x8A, 0x02, 5, 0x0A, 3, 1, 2, 3])
        let answer = await socket.read { $0.id == 5 }
        #expect(answer.error?.errors == [FieldError(field: "job_id", message: "has 3 bytes; an id has 16")])
        socket.write([Envelope(id: 6, .request(.refreshSchedule))])
        #expect(await socket.answer(to: 6)?.message.name == "schedule_refreshed")
        await station.server.stop()
    }

    @Test func unknownBodyIsUnimplemented() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello())
        socket.write([0, 0, 0, 5, 0x08, 7, 0xA2, 0x06, 0])
        #expect(await socket.read { $0.id == 7 }.error?.code == .unimplemented)
        await station.server.stop()
    }

    @Test func framesOutOfState() async throws {
        let station = try await Station.open()
        for (envelopes, text) in [
            ([Envelope(id: 1, .request(.getCluster))], "out of state: get_cluster before Hello"),
            (
                RawSocket(station.endpoint).hello() + [Envelope(.credit(granted: 1))],
                "out of state: credit from a client"
            ),
            (
                RawSocket(station.endpoint).hello(role: .worker) + [Envelope(id: 1, .request(.getCluster))],
                "out of state: get_cluster from a worker"
            ),
        ] {
            let socket = RawSocket(station.endpoint)
            socket.write(envelopes)
            #expect(await socket.read().error?.text == text)
        }
        await station.server.stop()
    }

    @Test func anUnsupportedVersion() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello(version: 99))
        let error = await socket.read().error
        #expect(error?.code == .failedPrecondition)
        #expect(error?.text == "unsupported protocol version 99; supported are 1 to 1")
        await station.server.stop()
    }

    @Test func noHelloInTime() async throws {
        let station = try await Station.open(limits: quick)
        let socket = RawSocket(station.endpoint)
        #expect(await socket.read().goodbye == "no Hello within 300 ms")
        await station.server.stop()
    }

    @Test func aSilentPeerIsClosed() async throws {
        let station = try await Station.open(limits: quick)
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello(role: .worker))
        let envelopes = await socket.read()
        #expect(envelopes.names.filter { $0 == "ping" }.count >= 3)
        #expect(envelopes.goodbye?.hasPrefix("silent for 5") == true)
        #expect(await station.scheduler.disconnection() == envelopes.goodbye)
        await station.server.stop()
    }

    @Test func aPongGivesTheSkew() async throws {
        // On a busy machine half a second may pass between the Ping and the answer; that must not count as silence.
        let station = try await Station.open(limits: ConnectionLimits(heartbeatMs: 1_000))
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello(role: .worker))
        // A peer whose clock is an hour ahead. It answers each Ping, because an answer after the next Ping is ignored.
        let peer = Task {
            while case .ping(let sent)? = await socket.read(until: { $0.message.name == "ping" }).last?.message {
                socket.write([Envelope(.pong(pingSentMicroseconds: sent, answeredMicroseconds: sent + 3_600_000_000))])
            }
        }
        let event = await station.scheduler.journal.first { if case .skew = $0 { true } else { false } }
        guard case .skew(_, let skewMs) = event else { return }
        #expect(abs(skewMs - 3_600_000) < 500)
        await station.server.stop()
        await peer.value
    }

    /// A leader that was stopped in the middle of a turn continues after its lease has ended.
    @Test func messagesPastTheirDeadlineAreNotSent() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello(role: .worker))
        let (id, _) = await station.scheduler.nextConnection()
        let link = try #require(station.scheduler.link(id))
        let token = DispatchToken(epoch: 1, sequence: 1)
        link.send([Envelope(.outcomeAck([AcknowledgedOutcome(token, .recorded)]))], before: BootTime(nanoseconds: .max))
        link.send([Envelope(.cancel([token]))], before: BootTime(nanoseconds: 1))
        let names = await socket.read { $0.message.name == "goodbye" }.names
        // The dispatcher assumes that the message was sent. The connection ends, so that both ends compare the calls that they hold.
        #expect(names.filter { $0 != "ping" } == ["welcome", "outcome_ack", "goodbye"])
        await station.server.stop()
    }

    @Test func aPeerThatDoesNotReadIsClosed() async throws {
        let station = try await Station.open(maxQueuedBytes: 1 << 20)
        let socket = RawSocket(station.endpoint, receiveBuffer: 4_096)
        socket.write(socket.hello())
        let (id, _) = await station.scheduler.nextConnection()
        let link = try #require(station.scheduler.link(id))
        let text = String(repeating: "x", count: 100_000)
        for _ in 0..<200 { link.send([Envelope(.error(ClientError(.internal, text)))]) }
        #expect(await station.scheduler.disconnection().hasPrefix("slow reader: "))
        await station.server.stop()
    }

    @Test func moreConnectionsThanAllowed() async throws {
        let station = try await Station.open(maxConnections: 2)
        let sockets = [RawSocket(station.endpoint), RawSocket(station.endpoint)]
        for socket in sockets {
            socket.write(socket.hello())
            _ = await socket.read { $0.message.name == "welcome" }
        }
        #expect(await RawSocket(station.endpoint).read().error?.code == .resourceExhausted)
        await station.server.stop()
    }

    @Test func aClientWithManyUnansweredRequestsIsNotReadFrom() async throws {
        let limits = ConnectionLimits(maxRequestsInFlight: 10)
        let station = try await Station.open(limits: limits)
        station.scheduler.behave { $0.answer = { _ in nil } }
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello())
        let (id, _) = await station.scheduler.nextConnection()
        // One read has at most 64 KiB; this is more than two reads. The write blocks, so it needs its own thread.
        ReaderThread {
            for number in 1...20_000 as ClosedRange<UInt64> {
                socket.write([Envelope(id: number, .request(.getLatestExecution(JobID(.zero))))])
            }
        }.start()
        _ = await station.scheduler.journal.first { if case .received = $0 { true } else { false } }
        let link = try #require(station.scheduler.link(id))
        // Every request is answered in the end.
        let reader = Task { await socket.read { $0.id == 20_000 } }
        var answered: UInt64 = 0
        var seen = 0
        var largest = 0
        while answered < 20_000 {
            let events = await station.scheduler.journal.elements(after: seen)
            for case .received(_, let envelopes) in events {
                largest = max(largest, envelopes.count)
                link.send(envelopes.map { Envelope(id: $0.id, .answer(.deleted(JobID(.zero)))) })
                answered += UInt64(envelopes.count)
            }
            seen += events.count
        }
        #expect(await reader.value.filter { $0.message.name == "deleted" }.count == 20_000)
        #expect(largest < 20_000)
        await station.server.stop()
    }

    @Test func aClientWithBigUnansweredRequestsIsNotReadFrom() async throws {
        let station = try await Station.open()
        station.scheduler.behave { $0.answer = { _ in nil } }
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello())
        let (id, _) = await station.scheduler.nextConnection()
        let link = try #require(station.scheduler.link(id))
        var settings = JobSettings()
        settings.body = String(repeating: "x", count: 1 << 20)
        let request = Request.createJob(settings, idempotencyKey: nil, fingerprint: nil)
        let count = 40
        // The write blocks, so it needs its own thread.
        ReaderThread {
            for number in 1...UInt64(count) { socket.write([Envelope(id: number, .request(request))]) }
        }.start()
        let journal = station.scheduler.journal
        _ = await journal.first { if case .received(_, let envelopes) = $0 { envelopes.last?.id == 16 } else { false } }
        // Other clients are served meanwhile, and nothing more is read from this client.
        let other = RawSocket(station.endpoint)
        other.write(other.hello())
        for number in 1...100 as ClosedRange<Int64> {
            other.write([Envelope(.ping(sentMicroseconds: number))])
            _ = await other.read { $0.message.name == "pong" }
        }
        let received = journal.elements.reduce(0) { sum, event in
            if case .received(_, let envelopes) = event { sum + envelopes.count } else { sum }
        }
        #expect(16...17 ~= received)
        // Each answered request frees memory for the next.
        let reader = Task { await socket.read { $0.id == UInt64(count) } }
        for number in 1...UInt64(count) {
            _ = await journal.first {
                if case .received(_, let envelopes) = $0 { envelopes.contains { $0.id == number } } else { false }
            }
            link.send([Envelope(id: number, .answer(.deleted(JobID(.zero))))])
        }
        #expect(await reader.value.filter { $0.message.name == "deleted" }.count == count)
        await station.server.stop()
    }

    @Test func receiverIsNotifiedOfSlowClients() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint, receiveBuffer: 4_096)
        socket.write(socket.hello())
        let (id, _) = await station.scheduler.nextConnection()
        let link = try #require(station.scheduler.link(id))
        let text = String(repeating: "x", count: 100_000)
        for _ in 0..<100 { link.send([Envelope(.error(ClientError(.internal, text)))]) }
        let full = await station.scheduler.journal.first { if case .full = $0 { true } else { false } }
        guard case .full(id, true) = full else { return #expect(Bool(false), "\(full)") }
        link.send([Envelope(.error(ClientError(.internal, "the last one")))])
        _ = await socket.read { envelope in
            if case .error(let error) = envelope.message { error.text == "the last one" } else { false }
        }
        _ = await station.scheduler.journal.first { if case .full(id, false) = $0 { true } else { false } }
        await station.server.stop()
    }

    /// The last bytes are far fewer than a buffer; the server must not wait for a full buffer before it resumes reading.
    @Test func slowClientIsStillServed() async throws {
        let station = try await Station.open()
        let socket = RawSocket(station.endpoint, receiveBuffer: 4_096)
        socket.write(socket.hello())
        let (id, _) = await station.scheduler.nextConnection()
        let link = try #require(station.scheduler.link(id))
        let text = String(repeating: "x", count: 2_500_000)
        for _ in 0..<3 { link.send([Envelope(.error(ClientError(.internal, text)))]) }
        _ = await station.scheduler.journal.first { if case .full(id, true) = $0 { true } else { false } }
        // The client sends a request while its reads are paused, and reads only afterwards.
        socket.write([Envelope(id: 9, .request(.refreshSchedule))])
        #expect(await socket.answer(to: 9)?.message.name == "schedule_refreshed")
        _ = await station.scheduler.journal.first { if case .full(id, false) = $0 { true } else { false } }
        await station.server.stop()
    }

    @Test func anAnswerLargerThanAFrameBecomesAnError() async throws {
        let station = try await Station.open(limits: ConnectionLimits(maxFrameBytes: 10_000))
        station.scheduler.behave {
            $0.answer = { _ in .answer(.scheduleRefreshed(status: String(repeating: "x", count: 20_000), jobs: 1)) }
        }
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello() + [Envelope(id: 3, .request(.refreshSchedule))])
        #expect(await socket.read { $0.id == 3 }.error?.code == .resourceExhausted)
        await station.server.stop()
    }

    @Test func aBatchLargerThanAFrameGoesOutInParts() async throws {
        let station = try await Station.open(limits: ConnectionLimits(maxFrameBytes: 10_000))
        let socket = RawSocket(station.endpoint)
        socket.write(socket.hello(role: .worker))
        let (id, _) = await station.scheduler.nextConnection()
        let tokens = (0..<3_000).map { AcknowledgedOutcome(DispatchToken(epoch: 5, sequence: $0), .superseded) }
        station.scheduler.link(id)?.send([
            Envelope(.outcomeAck(tokens)), Envelope(.lead(LeadProof(epoch: 5), shards: [])),
        ])
        let envelopes = await socket.read { $0.message.name == "lead" }
        var received: [AcknowledgedOutcome] = []
        for case .outcomeAck(let part) in envelopes.map(\.message) { received += part }
        #expect(received == tokens)
        #expect(envelopes.names.filter { $0 == "outcome_ack" }.count > 1)
        await station.server.stop()
    }

    @Test func aPortThatIsTaken() async throws {
        let station = try await Station.open()
        do throws(ClientError) {
            let second = RPCServer(
                configuration: RPCServer.Configuration(host: "127.0.0.1", port: station.endpoint.port),
                receiver: station.scheduler,
                logger: quiet
            )
            try await second.start()
            Issue.record("two servers on one port")
        } catch {
            #expect(error.text == "cannot listen on \(station.address): Address already in use")
        }
        await station.server.stop()
    }
}
