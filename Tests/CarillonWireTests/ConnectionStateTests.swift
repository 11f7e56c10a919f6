import CarillonCore
import CarillonWire
import Testing

/// Both clocks at a time; the wall clock has stepped by `step`.
private func at(_ milliseconds: Int64, step: Int64 = 0) -> WireNow {
    WireNow(
        boot: BootTime(nanoseconds: milliseconds * 1_000_000),
        wallMicroseconds: 1_700_000_000_000_000 + (milliseconds + step) * 1_000
    )
}

private let limits = ConnectionLimits()
private let client = Hello(role: .client, name: "c", bootID: UniqueID(high: 1, low: 2))
private let worker = Hello(role: .worker, name: "w", bootID: UniqueID(high: 1, low: 3), maxWorkers: 4)

private func welcome(heartbeatMs: UInt32 = 2_000, version: UInt32 = ProtocolVersion.current) -> Welcome {
    Welcome(
        protocolVersion: version,
        serverID: UniqueID(high: 9, low: 9),
        leading: true,
        epoch: 1,
        shards: [],
        heartbeatMs: heartbeatMs,
        maxFrameBytes: 1 << 22,
        serverTime: Timestamp(seconds: 0),
        version: nil,
        leaderAddress: nil
    )
}

/// Wraps a state, because the test macros cannot inspect non-copyable values.
private final class Server {
    private var state: ServerConnectionState

    init(limits: ConnectionLimits, at now: WireNow) { state = ServerConnectionState(limits: limits, at: now) }
    func handle(_ event: ServerConnectionState.Event, at now: WireNow) -> ServerConnectionState.Action {
        state.handle(event, at: now)
    }
    var deadline: BootTime? { state.deadline }
    var isClosed: Bool { state.isClosed }
    var maxFrameBytes: Int { state.maxFrameBytes }
}

private final class Client {
    private var state: ClientConnectionState

    init(role: Role, limits: ConnectionLimits, at now: WireNow) {
        state = ClientConnectionState(role: role, limits: limits, at: now)
    }
    func handle(_ event: ClientConnectionState.Event, at now: WireNow) -> ClientConnectionState.Action {
        state.handle(event, at: now)
    }
    var deadline: BootTime? { state.deadline }
    var isClosed: Bool { state.isClosed }
    var isEstablished: Bool { state.isEstablished }
}

@Suite struct ServerConnectionStateTests {
    private func established(_ hello: Hello) -> Server {
        let state = Server(limits: limits, at: at(0))
        _ = state.handle(.received(Envelope(.hello(hello))), at: at(0))
        // A worker is pinged at once.
        if hello.role == .worker { _ = state.handle(.ticked, at: at(0)) }
        return state
    }

    @Test func helloInTime() {
        let state = Server(limits: limits, at: at(0))
        #expect(state.deadline == at(5_000).boot)
        #expect(state.maxFrameBytes == 64 << 10)
        #expect(state.handle(.ticked, at: at(4_999)) == .none)
        #expect(state.handle(.received(Envelope(.hello(worker))), at: at(4_999)) == .welcome(worker))
        #expect(state.maxFrameBytes == 4 << 20)
        #expect(state.deadline == at(4_999).boot)
        guard case .send(let ping) = state.handle(.ticked, at: at(4_999)) else {
            Issue.record("a worker was not pinged at once")
            return
        }
        #expect(ping.message == .ping(sentMicroseconds: at(4_999).wallMicroseconds))
        #expect(state.deadline == at(6_999).boot)
    }

    @Test func noHelloInTime() {
        let state = Server(limits: limits, at: at(0))
        #expect(state.handle(.ticked, at: at(5_000)) == .close(why: "no Hello within 5000 ms", error: nil))
        #expect(state.isClosed && state.deadline == nil)
        #expect(state.handle(.received(Envelope(.hello(client))), at: at(5_001)) == .none)
    }

    @Test func versions() {
        for (version, isWelcome) in [(0, false), (1, true), (2, true), (3, false), (99, false)] as [(UInt32, Bool)] {
            var hello = client
            hello.protocolVersion = version
            let state = Server(limits: limits, at: at(0))
            let action = state.handle(.received(Envelope(.hello(hello))), at: at(0))
            if isWelcome {
                #expect(action == .welcome(hello))
            } else {
                guard case .close(_, let error) = action else {
                    Issue.record("version \(version): \(action)")
                    continue
                }
                #expect(error?.code == .failedPrecondition)
                #expect(state.isClosed)
            }
        }
    }

    @Test func `features are limited in number and length, and unknown ones are kept`() {
        let word = String(repeating: "f", count: 64)
        for (features, isWelcome) in [
            (["redirects", "a-later-one"], true), ([word], true), ((0..<64).map { "f\($0)" }, true),
            ([""], false), ([word + "f"], false), ((0..<65).map { "f\($0)" }, false),
        ] as [([String], Bool)] {
            var hello = worker
            hello.features = features
            let state = Server(limits: limits, at: at(0))
            let action = state.handle(.received(Envelope(.hello(hello))), at: at(1))
            #expect((action == .welcome(hello)) == isWelcome, "\(features)")
            guard !isWelcome, case .close(_, let error) = action else { continue }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func anIncompleteHello() {
        for hello in [
            Hello(role: .client, name: "", bootID: .zero), Hello(role: .worker, name: "w", bootID: .zero),
            Hello(role: .worker, name: "w", bootID: .zero, maxWorkers: 0),
            Hello(role: .client, name: String(repeating: "n", count: 256), bootID: .zero),
        ] {
            let state = Server(limits: limits, at: at(0))
            guard case .close(_, let error) = state.handle(.received(Envelope(.hello(hello))), at: at(0)) else {
                Issue.record("welcome: \(hello)")
                continue
            }
            #expect(error?.code == .invalidArgument)
        }
    }

    @Test func allowedMessagesOfEachRole() {
        for index in 0..<Samples.caseCount {
            for role in Role.allCases {
                var samples = Samples(seed: 1)
                let message = samples.message(index)
                let state = established(role == .client ? client : worker)
                let action = state.handle(.received(Envelope(id: 1, message)), at: at(1))
                let isDelivered =
                    switch message {
                    case .request: role == .client
                    case .holding, .credit, .started, .outcome, .drain, .leadRefused, .claimAnswer: role == .worker
                    default: false
                    }
                switch message {
                case .ping(let sent):
                    #expect(
                        action
                            == .send(
                                Envelope(
                                    id: 1,
                                    .pong(
                                        pingSentMicroseconds: sent,
                                        answeredMicroseconds: at(1).wallMicroseconds
                                    )
                                )
                            )
                    )
                case .pong, .error: #expect(action == .none)
                case .goodbye: #expect(state.isClosed)
                case .unknown:
                    guard case .send(let answer) = action, case .error(let error) = answer.message else {
                        Issue.record("\(action)")
                        continue
                    }
                    #expect(answer.id == 1 && error.code == .unimplemented)
                default:
                    if isDelivered {
                        #expect(action == .deliver && !state.isClosed)
                    } else {
                        guard case .close(let why, let error) = action else {
                            Issue.record("\(message.name) from a \(role): \(action)")
                            continue
                        }
                        #expect(why.hasPrefix("out of state: ") && error?.code == .invalidArgument && state.isClosed)
                    }
                }
            }
        }
    }

    @Test func aRequestWithoutAnIdAndAnUnknownMessageWithoutOne() {
        let state = established(client)
        #expect(state.handle(.received(Envelope(.unknown)), at: at(1)) == .none)
        _ = state.handle(.received(Envelope(.request(.getCluster))), at: at(2))
        #expect(state.isClosed)
    }

    @Test func everythingBeforeHelloCloses() {
        for index in 1..<Samples.caseCount {
            var samples = Samples(seed: 2)
            let state = Server(limits: limits, at: at(0))
            _ = state.handle(.received(Envelope(id: 1, samples.message(index))), at: at(1))
            #expect(state.isClosed)
        }
    }

    @Test func heartbeatAndSilence() {
        let state = established(worker)
        #expect(state.deadline == at(2_000).boot)
        #expect(state.handle(.ticked, at: at(1_999)) == .none)
        #expect(
            state.handle(.ticked, at: at(2_000))
                == .send(Envelope(.ping(sentMicroseconds: at(2_000).wallMicroseconds)))
        )
        #expect(state.handle(.ticked, at: at(2_001)) == .none)
        #expect(state.handle(.receivedBytes, at: at(3_000)) == .none)
        for beat in [4_000, 6_000, 8_000, 10_000, 12_000] as [Int64] {
            guard case .send = state.handle(.ticked, at: at(beat)) else {
                Issue.record("no Ping at \(beat)")
                return
            }
        }
        #expect(state.deadline == at(13_000).boot)
        #expect(state.handle(.ticked, at: at(13_000)) == .close(why: "silent for 10 s", error: nil))
    }

    /// A client pings. The scheduler answers, and pings only after the client has missed three of its own heartbeats.
    @Test func aClientIsPingedOnlyInItsSilence() {
        let state = established(client)
        #expect(state.deadline == at(6_000).boot)
        for beat in [2_000, 4_000, 6_000] as [Int64] {
            let ping = Message.ping(sentMicroseconds: beat)
            guard case .send(let answer) = state.handle(.received(Envelope(ping)), at: at(beat)) else {
                Issue.record("no Pong at \(beat)")
                return
            }
            #expect(answer.message.name == "pong")
            #expect(state.handle(.ticked, at: at(beat)) == .none)
        }
        #expect(state.deadline == at(12_000).boot)
        for beat in [12_000, 14_000] as [Int64] {
            let ping = Message.ping(sentMicroseconds: at(beat).wallMicroseconds)
            #expect(state.handle(.ticked, at: at(beat)) == .send(Envelope(ping)))
        }
        #expect(state.handle(.ticked, at: at(16_000)) == .close(why: "silent for 10 s", error: nil))
    }

    @Test func silenceDoesNotCountWhileReadsArePaused() {
        let state = established(client)
        _ = state.handle(.listening(false), at: at(1_000))
        for beat in stride(from: 8_000, to: 60_000, by: 2_000) {
            guard case .send = state.handle(.ticked, at: at(Int64(beat))) else {
                Issue.record("no Ping at \(beat)")
                return
            }
        }
        _ = state.handle(.listening(true), at: at(60_000))
        guard case .send = state.handle(.ticked, at: at(69_999)) else {
            Issue.record("closed too early")
            return
        }
        #expect(state.handle(.ticked, at: at(70_000)) == .close(why: "silent for 10 s", error: nil))
    }

    @Test func skew() {
        let state = established(worker)
        _ = state.handle(.ticked, at: at(2_000))
        let sent = at(2_000).wallMicroseconds
        // A round trip of 40 ms; the peer's clock is 500 ms ahead. The local wall clock steps meanwhile.
        let pong = Message.pong(pingSentMicroseconds: sent, answeredMicroseconds: sent + 520_000)
        let action = state.handle(.received(Envelope(pong)), at: at(2_040, step: 9_000))
        guard case .measured(let reading) = action else {
            Issue.record("\(action)")
            return
        }
        #expect(reading.skewMs == 500)
        #expect(reading.receivedAt.milliseconds(since: reading.sentAt) == 40)
        // A repeated Pong is not a measurement.
        #expect(state.handle(.received(Envelope(pong)), at: at(2_050)) == .none)
        // Neither is a Pong whose time would overflow.
        _ = state.handle(.ticked, at: at(4_000))
        let wild = Message.pong(pingSentMicroseconds: at(4_000).wallMicroseconds, answeredMicroseconds: .min)
        #expect(state.handle(.received(Envelope(wild)), at: at(4_001)) == .none)
    }

    @Test func undecodable() {
        let state = established(client)
        let wrongField = WireError(.invalid, "has 3 bytes; an id has 16", field: "job_id", requestID: 4)
        #expect(
            state.handle(.failedToDecode(wrongField), at: at(1))
                == .send(Envelope(id: 4, .error(wrongField.asClientError)))
        )
        #expect(!state.isClosed)
        let credentials = WireError(.unimplemented, "must be empty", field: "credentials", requestID: 5)
        guard case .send(let refusal) = state.handle(.failedToDecode(credentials), at: at(1)) else {
            Issue.record("a request with credentials was not answered")
            return
        }
        guard case .error(let error) = refusal.message else { return }
        #expect(refusal.id == 5 && error.code == .unimplemented && !state.isClosed)
        let garbage = WireError(.malformed, "garbage")
        #expect(
            state.handle(.failedToDecode(garbage), at: at(2))
                == .close(why: "undecodable: garbage", error: garbage.asClientError)
        )
    }
}

@Suite struct ClientConnectionStateTests {
    private func established(_ role: Role, heartbeatMs: UInt32 = 2_000) -> Client {
        let state = Client(role: role, limits: limits, at: at(0))
        _ = state.handle(.received(Envelope(.welcome(welcome(heartbeatMs: heartbeatMs)))), at: at(0))
        return state
    }

    @Test func welcomeInTime() {
        let state = Client(role: .worker, limits: limits, at: at(0))
        #expect(state.deadline == at(5_000).boot)
        #expect(state.handle(.received(Envelope(.welcome(welcome()))), at: at(1)) == .established(welcome()))
        #expect(state.isEstablished)
    }

    @Test func noWelcomeInTime() {
        let state = Client(role: .worker, limits: limits, at: at(0))
        #expect(state.handle(.ticked, at: at(4_999)) == .none)
        #expect(state.handle(.ticked, at: at(5_000)) == .close(why: "no Welcome within 5000 ms", refusal: nil))
    }

    @Test func aRefusalAndAWrongVersion() {
        let state = Client(role: .client, limits: limits, at: at(0))
        let refusal = ClientError(.failedPrecondition, "no")
        #expect(
            state.handle(.received(Envelope(.error(refusal))), at: at(1))
                == .close(why: "refused: no", refusal: refusal)
        )
        for version in [0, 2] as [UInt32] {
            let state = Client(role: .client, limits: limits, at: at(0))
            _ = state.handle(.received(Envelope(.welcome(welcome(version: version)))), at: at(1))
            #expect(state.isClosed)
        }
    }

    @Test func allowedMessagesOfEachRole() {
        for index in 0..<Samples.caseCount {
            for role in Role.allCases {
                var samples = Samples(seed: 1)
                let message = samples.message(index)
                let state = established(role)
                let action = state.handle(.received(Envelope(id: 1, message)), at: at(1))
                let isDelivered =
                    switch message {
                    case .answer, .error: role == .client
                    case .lead: true
                    case .dispatch, .outcomeAck, .cancel, .claimQuery: role == .worker
                    default: false
                    }
                #expect((action == .deliver) == isDelivered, "\(message.name) to a \(role)")
                switch message {
                case .ping, .pong, .unknown, .error: #expect(!state.isClosed)
                default: #expect(state.isClosed == !isDelivered, "\(message.name) to a \(role)")
                }
            }
        }
    }

    @Test func anErrorWithoutAnIdEndsTheConnection() {
        let state = established(.worker)
        let error = ClientError(.invalidArgument, "out of state")
        #expect(
            state.handle(.received(Envelope(.error(error))), at: at(1))
                == .close(why: "closed by the scheduler: out of state", refusal: error)
        )
    }

    @Test func `a Welcome with too small a frame limit ends the connection`() {
        for (bytes, isEstablished) in [(0, false), (65_535, false), (65_536, true), (.max, true)] as [(UInt32, Bool)] {
            let state = Client(role: .worker, limits: limits, at: at(0))
            var welcome = welcome()
            welcome.maxFrameBytes = bytes
            _ = state.handle(.received(Envelope(.welcome(welcome))), at: at(1))
            #expect(state.isEstablished == isEstablished)
        }
    }

    @Test func theSchedulerSetsTheHeartbeat() {
        for (role, firstPing) in [(Role.client, 100), (.worker, 300)] as [(Role, Int64)] {
            let state = established(role, heartbeatMs: 100)
            #expect(state.deadline == at(firstPing).boot)
            guard case .send = state.handle(.ticked, at: at(firstPing)) else {
                Issue.record("no Ping of a \(role)")
                return
            }
            #expect(state.handle(.ticked, at: at(500)) == .close(why: "silent for 500 ms", refusal: nil))
        }
    }

    @Test func undecodedAnswersCountAsTraffic() {
        let state = established(.client)
        for second in 1...30 as ClosedRange<Int64> {
            #expect(state.handle(.receivedAnswer, at: at(second * 1_000)) == .deliver)
        }
        guard case .send = state.handle(.ticked, at: at(39_999)) else {
            Issue.record("no Ping")
            return
        }
        let worker = established(.worker)
        _ = worker.handle(.receivedAnswer, at: at(1))
        #expect(worker.isClosed)
    }
}
