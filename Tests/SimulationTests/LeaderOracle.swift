import CarillonCore

/// Checks a worker that serves several leaders by the messages alone, without sharing code with the engine.
struct LeaderOracle {
    private struct View {
        var lead: LeadProof?
        var links: Set<ConnectionID> = []
    }

    private struct Book {
        var granted: UInt64 = 0
        var received: UInt64 = 0
    }

    let slots: Int
    private(set) var problem: String?
    /// The leader of each shard according to the messages that the worker received.
    private var views: [UInt8: View] = [:]
    private var books: [ConnectionID: Book] = [:]
    /// All leads of a shard.
    var history: [UInt8: [LeadProof]] = [:]
    private(set) var calls: [DispatchToken: DispatchedCall] = [:]
    private(set) var running: Set<DispatchToken> = []
    private var started: Set<DispatchToken> = []
    /// The connection over which an outcome was last sent.
    private(set) var reportedTo: [DispatchToken: ConnectionID] = [:]
    /// Outcomes recorded by a leader of their shard.
    var recorded: Set<DispatchToken> = []
    /// The maximum number of concurrent calls.
    var mostRunning = 0
    /// The required actions for the event that is being handled.
    private var mustStart: Set<DispatchToken> = []
    private var mustRefuse: Set<UInt8> = []

    init(slots: Int) {
        self.slots = slots
    }

    mutating func fail(_ text: String) {
        if problem == nil { problem = text }
    }

    private func leads(_ link: ConnectionID, _ shard: UInt8) -> Bool { views[shard]?.links.contains(link) ?? false }

    mutating func dispatched(_ dispatched: [DispatchedCall]) {
        for call in dispatched { calls[call.token] = call }
    }

    // MARK: Before the engine

    mutating func willHandle(_ event: WorkerEvent) {
        (mustStart, mustRefuse) = ([], [])
        switch event {
        case .connected(let link): books[link] = Book()
        case .disconnected(let link):
            books[link] = nil
            for shard in views.keys { views[shard]?.links.remove(link) }
        case .leadAnnounced(let link, let lead, let shards): announced(link, lead, Set(shards))
        case .dispatched(let link, _, let calls, let receivedAt):
            for call in calls {
                let book = books[link] ?? Book()
                let isObeyed =
                    leads(link, call.shard) && views[call.shard]?.lead?.epoch == call.token.epoch
                let mayStart = Self.mayStart(call, at: receivedAt)
                if isObeyed, mayStart, book.received < book.granted { mustStart.insert(call.token) }
                books[link]?.received += 1
            }
        case .ended(let results): for result in results { running.remove(result.token) }
        default: break
        }
    }

    private mutating func announced(_ link: ConnectionID, _ lead: LeadProof, _ shards: Set<UInt8>) {
        for shard in views.keys where views[shard]?.lead == lead && !shards.contains(shard) {
            views[shard]?.links.remove(link)
        }
        for shard in shards {
            if let known = views[shard]?.lead, known.epoch > lead.epoch {
                mustRefuse.insert(shard)
            } else if views[shard]?.lead == lead {
                views[shard]?.links.insert(link)
            } else {
                views[shard] = View(lead: lead, links: [link])
            }
        }
    }

    private static func mayStart(_ call: DispatchedCall, at time: BootTime) -> Bool {
        guard case .http = call.kind else { return false }
        return call.startBeforeClockMicroseconds.map { time.microseconds < $0 } ?? true
    }

    // MARK: After the engine

    mutating func didHandle(_ event: WorkerEvent, _ actions: [WorkerAction], heldCount: Int) {
        var refused: Set<UInt8> = []
        for action in actions {
            switch action {
            case .start(let requests): for request in requests { start(request.token, by: event) }
            case .cut(let tokens): for token in tokens { cut(token, by: event) }
            case .hold(let link, _, let calls): hold(link, calls)
            case .report(let link, let outcomes): for outcome in outcomes { report(outcome, over: link) }
            case .refuseLead(_, _, let shards, _): refused.formUnion(shards)
            case .answerClaims(let link, _, let claims):
                for claim in claims where !leads(link, claim.claim.shard) {
                    fail("a claim of shard \(claim.claim.shard) was answered to a scheduler that does not lead it")
                }
            case .grant(let link, let granted): grant(link, granted)
            default: break
            }
        }
        if refused != mustRefuse { fail("shards \(refused.sorted()) were refused instead of \(mustRefuse.sorted())") }
        if !mustStart.isEmpty { fail("calls within the credit were not started: \(mustStart.sorted())") }
        checkSlots()
    }

    private mutating func start(_ token: DispatchToken, by event: WorkerEvent) {
        guard case .dispatched(let link, _, _, let receivedAt) = event, let call = calls[token] else {
            return fail("\(token) was started by \(event)")
        }
        if !Self.mayStart(call, at: receivedAt) { fail("a call was started too late, or is of an unknown kind") }
        if !started.insert(token).inserted { fail("\(token) was started twice") }
        if !leads(link, call.shard) || views[call.shard]?.lead?.epoch != token.epoch {
            fail("a call of shard \(call.shard) was accepted from a scheduler that does not lead it")
        }
        mustStart.remove(token)
        running.insert(token)
        mostRunning = max(mostRunning, running.count)
    }

    private mutating func cut(_ token: DispatchToken, by event: WorkerEvent) {
        guard case .cancelRequested(let link, _) = event, let call = calls[token], leads(link, call.shard) else {
            return fail("\(token) was stopped for a scheduler that does not lead its shard")
        }
    }

    private mutating func hold(_ link: ConnectionID, _ held: [HeldCall]) {
        for call in held where !leads(link, call.shard) || calls[call.token]?.shard != call.shard {
            fail("a call of shard \(call.shard) was reported to a scheduler that does not lead it")
        }
    }

    private mutating func report(_ outcome: CallOutcome, over link: ConnectionID) {
        guard let call = calls[outcome.token], call.shard == outcome.shard, call.code == outcome.code else {
            return fail("the outcome of \(outcome.token) belongs to another call")
        }
        guard leads(link, outcome.shard) else {
            return fail("an outcome of shard \(outcome.shard) was sent to a scheduler that does not lead it")
        }
        reportedTo[outcome.token] = link
    }

    private mutating func grant(_ link: ConnectionID, _ granted: UInt64) {
        guard let book = books[link] else { return fail("credit for a connection that has ended") }
        if granted < book.received { fail("credit that was used was withdrawn") }
        books[link]?.granted = granted
    }

    /// No slot may be offered twice, or while a call uses it.
    private mutating func checkSlots() {
        let leading = Set(views.values.flatMap(\.links))
        let offered = leading.reduce(0) { sum, link in
            let book = books[link] ?? Book()
            return sum + (book.granted > book.received ? Int(book.granted - book.received) : 0)
        }
        if offered + running.count > slots {
            fail("\(offered) slots are offered and \(running.count) used, of \(slots)")
        }
    }

    // MARK: Leaders

    /// A refusal refers to a Lead of the same shard with a higher epoch.
    mutating func refused(_ epoch: Int64, _ shards: [UInt8], by highest: LeadProof) {
        for shard in shards where highest.epoch <= epoch || history[shard]?.contains(highest) != true {
            fail("shard \(shard) was refused because of a lead of another shard, or of a lower epoch")
        }
    }

    /// After the faults, every started call must be recorded by a leader of its shard.
    mutating func checkSettled() {
        for token in started.subtracting(recorded).sorted() { fail("the outcome of \(token) was lost") }
    }
}
