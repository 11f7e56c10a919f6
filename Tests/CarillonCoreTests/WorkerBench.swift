import CarillonCore

/// A worker engine with its own clock, and the actions of each turn.
struct WorkerBench: ~Copyable {
    var engine: WorkerEngine
    var now = BootTime(nanoseconds: 1_000_000_000_000)

    init(maxWorkers: Int = 4) {
        engine = WorkerEngine(
            configuration: WorkerEngineConfiguration(maxWorkers: maxWorkers, userAgent: "Carillon/test")
        )
    }

    /// Handles the events and ends the turn.
    @discardableResult
    mutating func turn(_ events: WorkerEvent...) -> Done {
        var actions: [WorkerAction] = []
        for event in events + [.tick] { engine.handle(event, at: now, into: &actions) }
        return Done(actions: actions)
    }

    mutating func wait(milliseconds: Int64) {
        now = now + milliseconds
    }

    /// Connects a scheduler and lets it lead.
    @discardableResult
    mutating func lead(_ link: ConnectionID, epoch: Int64, shards: [UInt8] = [0, 1]) -> Done {
        turn(.connected(link), .leadAnnounced(link, LeadProof(epoch: epoch), shards: shards))
    }

    @discardableResult
    mutating func dispatch(_ link: ConnectionID, _ calls: [DispatchedCall], at clusterTime: Timestamp = clusterTime)
        -> Done
    {
        turn(.dispatched(link, clusterTime: clusterTime, calls, receivedAt: now))
    }

    @discardableResult
    mutating func end(_ token: DispatchToken, kind: OutcomeKind = .answered, status: Int? = 200) -> Done {
        turn(.ended([result(token, kind: kind, status: status)]))
    }

    func result(_ token: DispatchToken, kind: OutcomeKind = .answered, status: Int? = 200) -> HTTPResult {
        HTTPResult(
            token: token,
            kind: kind,
            startedAt: now,
            durationMicroseconds: 1_000,
            httpStatus: kind == .answered ? status : nil
        )
    }

    static let clusterTime = Timestamp(milliseconds: 1_800_000_000_000)
    static let job = JobID(UniqueID(high: 7, low: 7))

    static func call(
        _ sequence: UInt64,
        epoch: Int64 = 1,
        after microseconds: UInt64 = 0,
        method: String = "POST",
        headers: [HTTPHeader] = [],
        body: String? = nil,
        responseLimit: Int = 4_096,
        shard: UInt8 = 0
    ) -> DispatchedCall {
        DispatchedCall(
            token: DispatchToken(epoch: epoch, sequence: sequence),
            shard: shard,
            executionID: ExecutionID(UniqueID(high: 0x0199_0000_0000_8000, low: 0x8000_0000_0000_0000 | sequence)),
            jobID: job,
            attempt: 2,
            scheduledTime: clusterTime,
            startAfterMicroseconds: microseconds,
            kind: .http(HTTPCall(url: "http://127.0.0.1/", method: method, headers: headers, body: body)),
            timeoutMs: 30_000,
            connectTimeoutMs: 10_000,
            atMostOnce: false,
            responseLimit: responseLimit
        )
    }

    /// The result of a turn.
    struct Done {
        var actions: [WorkerAction]

        var started: [HTTPRequest] {
            actions.flatMap { action -> [HTTPRequest] in
                if case .start(let requests) = action { requests } else { [] }
            }
        }
        var cut: [DispatchToken] {
            actions.flatMap { action -> [DispatchToken] in
                if case .cut(let tokens) = action { tokens } else { [] }
            }
        }
        var hasDrained: Bool {
            actions.contains { action in
                if case .drained = action { true } else { false }
            }
        }
        var logEvents: [WorkerLogEvent] {
            actions.compactMap { action -> WorkerLogEvent? in
                if case .log(let logEvent) = action { logEvent } else { nil }
            }
        }

        func reported(to link: ConnectionID) -> [CallOutcome] {
            actions.flatMap { action -> [CallOutcome] in
                if case .report(link, let outcomes) = action { outcomes } else { [] }
            }
        }
        func held(for link: ConnectionID) -> [HeldCall] {
            actions.flatMap { action -> [HeldCall] in
                if case .hold(link, _, let calls) = action { calls } else { [] }
            }
        }
        var answeredClaims: [AnsweredClaim] {
            actions.flatMap { action -> [AnsweredClaim] in
                if case .answerClaims(_, _, let claims) = action { claims } else { [] }
            }
        }
        var rememberedMs: UInt64? {
            actions.compactMap { action -> UInt64? in
                if case .answerClaims(_, let milliseconds, _) = action { milliseconds } else { nil }
            }.last
        }
        /// The highest epochs reported to a scheduler in answer to its Lead.
        func refusedLeads(to link: ConnectionID) -> [LeadProof] {
            actions.compactMap { action -> LeadProof? in
                if case .refuseLead(link, _, _, let highest) = action { highest } else { nil }
            }
        }
        func granted(to link: ConnectionID) -> UInt64? {
            actions.compactMap { action -> UInt64? in
                if case .grant(link, let granted) = action { granted } else { nil }
            }.last
        }
        func toldStarted(to link: ConnectionID) -> [DispatchToken] {
            actions.flatMap { action -> [DispatchToken] in
                if case .tellStarted(link, let tokens) = action { tokens } else { [] }
            }
        }
        /// The kinds of messages for a link, in order.
        func order(for link: ConnectionID) -> [String] {
            actions.compactMap { action -> String? in
                switch action {
                case .hold(link, _, _): "holding"
                case .report(link, _): "outcome"
                case .tellStarted(link, _): "started"
                case .announceDrain(link): "drain"
                case .grant(link, _): "credit"
                default: nil
                }
            }
        }
    }
}
