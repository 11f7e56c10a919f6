import CarillonCore
import CarillonWire
import TestSupport

/// A worker that serves several leaders of different shards: the real engine and real frames, model leaders,
/// connections that break, and shards that change their leader.
final class SeveralLeaders {
    private final class Cell {
        var engine: WorkerEngine

        init(_ engine: consuming WorkerEngine) { self.engine = engine }
    }

    private struct Item {
        var time: Int64
        var work: () -> Void
    }

    static let shardCount: UInt8 = 8
    /// The duration of the faults, in microseconds.
    private static let faultsEnd: Int64 = 6_000_000

    let slots: Int
    let codec = MessageCodec()
    var random: SeededGenerator
    private(set) var leaders: [ModelLeader] = []
    /// In microseconds.
    private(set) var time: Int64 = 0
    var oracle: LeaderOracle
    /// The true leader of each shard.
    private(set) var owners: [UInt8: (leader: Int, lead: LeadProof)] = [:]
    /// The next item is the last.
    private var items: [Item] = []
    private var nextLink = 1
    private var nextEpoch: Int64 = 1
    private var nextSequence: UInt64 = 1
    private var wakeNumber = 0
    private let cell: Cell

    init(seed: UInt64) {
        random = SeededGenerator(seed: seed)
        slots = Int.random(in: 1...8, using: &random)
        oracle = LeaderOracle(slots: slots)
        cell = Cell(
            WorkerEngine(configuration: WorkerEngineConfiguration(maxWorkers: slots, userAgent: "Carillon/simulated"))
        )
        let count = Int.random(in: 2...3, using: &random)
        leaders = (0..<count).map { ModelLeader(index: $0, world: self) }
    }

    /// Returns a description of the failure; `nil` if there is none.
    func run() -> String? {
        defer { items = [] }
        for shard in 0..<Self.shardCount { give([shard], to: Int(shard) % leaders.count) }
        for leader in leaders { leader.dial() }
        plan(1_000_000) { [self] in disturb() }
        runItems(until: Self.faultsEnd)
        settle()
        if oracle.problem == nil { proveThatEachLeaderIsServed() }
        return oracle.problem
    }

    // MARK: Time

    var now: BootTime { BootTime(nanoseconds: 1_000_000_000_000 + time * 1_000) }

    func plan(_ delay: Int64, _ work: @escaping () -> Void) {
        let item = Item(time: time + delay, work: work)
        var (low, high) = (0, items.count)
        while low < high {
            let middle = (low + high) / 2
            if items[middle].time > item.time { low = middle + 1 } else { high = middle }
        }
        items.insert(item, at: low)
    }

    private func runItems(until end: Int64) {
        while oracle.problem == nil, let item = items.last, item.time <= end {
            items.removeLast()
            time = item.time
            item.work()
        }
        time = max(time, end)
    }

    // MARK: Faults

    private var faultsAreOn: Bool { time < Self.faultsEnd }

    private func disturb() {
        guard faultsAreOn else { return }
        plan(Int64.random(in: 20_000...400_000, using: &random)) { [self] in disturb() }
        let leader = leaders[Int.random(in: 0..<leaders.count, using: &random)]
        switch Int.random(in: 0..<8, using: &random) {
        case 0: leader.link?.cut()
        case 1, 2: takeOver(by: leader)
        case 3: leader.isBusy.toggle()
        case 4: leader.sendForeignAcknowledgements()
        case 5: leader.sendForeignCancels()
        case 6: leader.askAboutForeignClaims()
        default: leader.announceAgain()
        }
    }

    /// A leader takes some shards. The previous leader is notified now, or by the worker.
    private func takeOver(by leader: ModelLeader) {
        let taken = (0..<Self.shardCount).filter { owners[$0]?.leader != leader.index && random.happens(0.4) }
        guard !taken.isEmpty else { return }
        let losers = Set(taken.compactMap { owners[$0]?.leader })
        give(taken, to: leader.index)
        for loser in losers.sorted() where random.happens(0.5) { leaders[loser].release(taken) }
    }

    private func give(_ shards: [UInt8], to index: Int) {
        let lead = LeadProof(
            epoch: nextEpoch,
            incarnation: random.next(),
            proof: AuthenticationCode(high: random.next(), low: random.next())
        )
        nextEpoch += Int64.random(in: 1...5, using: &random)
        for shard in shards {
            owners[shard] = (index, lead)
            oracle.history[shard, default: []].append(lead)
        }
        leaders[index].take(shards, under: lead)
    }

    // MARK: The network

    func makeLink(of leader: ModelLeader) -> ModelLink {
        defer { nextLink += 1 }
        return ModelLink(id: nextLink, leader: leader, world: self)
    }

    func makeToken(_ lead: LeadProof) -> DispatchToken {
        defer { nextSequence += 1 }
        return DispatchToken(epoch: lead.epoch, sequence: nextSequence, incarnation: lead.incarnation)
    }

    func isLeader(_ index: Int, of shard: UInt8) -> Bool { owners[shard]?.leader == index }

    // MARK: The worker

    func tell(_ event: WorkerEvent) {
        guard oracle.problem == nil else { return }
        oracle.willHandle(event)
        var actions: [WorkerAction] = []
        cell.engine.handle(event, at: now, into: &actions)
        cell.engine.handle(.tick, at: now, into: &actions)
        oracle.didHandle(event, actions, heldCount: cell.engine.heldCount)
        if let inconsistency = cell.engine.inconsistency { oracle.fail(inconsistency) }
        for action in actions { perform(action) }
        guard let wake = cell.engine.wake else { return }
        wakeNumber += 1
        let number = wakeNumber
        plan(max(0, (wake - now) / 1_000) + 1) { [self] in
            if number == wakeNumber { tell(.tick) }
        }
    }

    func dispatched(_ calls: [DispatchedCall], over link: ModelLink) {
        tell(.dispatched(link.id, clusterTime: Timestamp(milliseconds: time / 1_000), calls, receivedAt: now))
    }

    private func perform(_ action: WorkerAction) {
        switch action {
        case .start(let requests):
            for request in requests {
                plan(Int64.random(in: 1_000...300_000, using: &random)) { [self] in end(request.token, .answered) }
            }
        case .cut(let tokens): for token in tokens { plan(1_000) { [self] in end(token, .cancelled) } }
        case .hold(let link, let epoch, let calls): send(.holding(epoch: epoch, running: calls), over: link)
        case .refuseLead(let link, let epoch, let shards, let highest):
            send(.leadRefused(epoch: epoch, shards: shards, highest: highest), over: link)
        case .report(let link, let outcomes): send(.outcome(outcomes), over: link)
        case .tellStarted(let link, let tokens): send(.started(tokens), over: link)
        case .answerClaims(let link, let rememberedMs, let claims):
            send(.claimAnswer(rememberedMs: rememberedMs, claims), over: link)
        case .announceDrain(let link): send(.drain, over: link)
        case .grant(let link, let granted): send(.credit(granted: granted), over: link)
        case .close(let link, let why): oracle.fail("connection \(link) was closed: \(why)")
        case .log, .drained: break
        }
    }

    private func send(_ message: Message, over id: ConnectionID) {
        leaders.compactMap(\.workerLinks[id]).first?.sendToLeader(message)
    }

    private func end(_ token: DispatchToken, _ kind: OutcomeKind) {
        guard oracle.running.contains(token) else { return }
        tell(
            .ended([
                HTTPResult(
                    token: token,
                    kind: kind,
                    startedAt: now,
                    durationMicroseconds: 1_000,
                    httpStatus: kind == .answered ? 200 : nil
                )
            ])
        )
    }

    // MARK: The final phase

    /// Without further faults every outcome must reach the leader of its shard.
    private func settle() {
        for leader in leaders {
            leader.isBusy = false
            leader.believe(owners.filter { $0.value.leader == leader.index }.mapValues(\.lead))
        }
        runItems(until: time + 10_000_000)
        guard oracle.problem == nil else { return }
        if cell.engine.heldCount > 0 {
            oracle.fail("\(cell.engine.heldCount) calls are held though every leader answers")
        }
        oracle.checkSettled()
    }

    /// First one leader has work for a while and must get almost all slots. Then each other leader has one call.
    private func proveThatEachLeaderIsServed() {
        guard let busy = leaders.first(where: { $0.leadsAnything }) else { return }
        busy.isBusy = true
        oracle.mostRunning = 0
        let others = leaders.filter { $0 !== busy && $0.leadsAnything }
        let expected = max(1, slots - others.count)
        // Calls are short compared with the round trip to the leader, so all slots are rarely in use at the same time.
        let end = time + 20_000_000
        while oracle.mostRunning < expected, oracle.problem == nil, time < end { runItems(until: time + 1_000_000) }
        if oracle.mostRunning < expected {
            oracle.fail("a leader with work got \(oracle.mostRunning) of \(slots) slots while no other leader had any")
        }
        for other in others where oracle.problem == nil {
            let before = other.dispatchedCount
            other.wantedCalls = 1
            runItems(until: time + 5_000_000)
            if other.dispatchedCount == before { oracle.fail("a leader with work got no slot for 5 s") }
        }
        busy.isBusy = false
    }
}
