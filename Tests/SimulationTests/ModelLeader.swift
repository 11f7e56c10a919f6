import CarillonCore
import CarillonWire
import TestSupport

/// A model of a scheduler as a worker sees it: leads shards, dispatches calls within the credit, and records and
/// acknowledges outcomes. It may assume that it leads shards of another leader.
final class ModelLeader {
    let index: Int
    private unowned let world: SeveralLeaders
    /// By shard: the lead that this scheduler assumes to hold.
    private(set) var leads: [UInt8: LeadProof] = [:]
    private(set) var link: ModelLink?
    /// The worker's connections, including cut ones.
    private(set) var workerLinks: [ConnectionID: ModelLink] = [:]
    /// Whether there are always calls to dispatch.
    var isBusy = true {
        didSet { dispatchSoon() }
    }
    /// Additional calls to dispatch.
    var wantedCalls = 0 {
        didSet { dispatchSoon() }
    }
    private(set) var dispatchedCount = 0
    private var isDispatchPlanned = false

    init(index: Int, world: SeveralLeaders) {
        self.index = index
        self.world = world
    }

    var leadsAnything: Bool { !leads.isEmpty }

    // MARK: Connections

    func dial() {
        let link = world.makeLink(of: self)
        self.link = link
        workerLinks[link.id] = link
        world.tell(.connected(link.id))
        announceAgain()
    }

    func lost(_ lost: ModelLink) {
        guard link === lost else { return }
        link = nil
        world.plan(Int64.random(in: 1_000...300_000, using: &world.random)) { [self] in if link == nil { dial() } }
    }

    // MARK: Shards

    func take(_ shards: [UInt8], under lead: LeadProof) {
        for shard in shards { leads[shard] = lead }
        announce(lead)
        dispatchSoon()
    }

    /// Another scheduler has taken these shards. The remaining shards of each epoch are announced.
    func release(_ shards: [UInt8]) {
        let epochs = Set(shards.compactMap { leads[$0] })
        for shard in shards { leads[shard] = nil }
        for lead in epochs.sorted(by: { $0.epoch < $1.epoch }) { announce(lead) }
    }

    func believe(_ truth: [UInt8: LeadProof]) {
        let before = Set(leads.values)
        leads = truth
        for lead in before.union(truth.values).sorted(by: { $0.epoch < $1.epoch }) { announce(lead) }
    }

    func announceAgain() {
        for lead in Set(leads.values).sorted(by: { $0.epoch < $1.epoch }) { announce(lead) }
    }

    private func announce(_ lead: LeadProof) {
        link?.sendToWorker(.lead(lead, shards: leads.filter { $0.value == lead }.keys.sorted()))
    }

    // MARK: Calls

    private func dispatchSoon() {
        guard !isDispatchPlanned else { return }
        isDispatchPlanned = true
        world.plan(Int64.random(in: 100...20_000, using: &world.random)) { [self] in
            isDispatchPlanned = false
            dispatch()
        }
    }

    private func dispatch() {
        let shards = leads.keys.sorted()
        guard let link, link.isUp, link.granted > link.sent, !shards.isEmpty, isBusy || wantedCalls > 0 else { return }
        let most = isBusy ? Int(link.granted - link.sent) : min(wantedCalls, Int(link.granted - link.sent))
        let calls = (0..<Int.random(in: 1...most, using: &world.random)).map { _ in makeCall(on: shards) }
        link.sent += UInt64(calls.count)
        dispatchedCount += calls.count
        if wantedCalls > 0 { wantedCalls -= min(wantedCalls, calls.count) }
        world.oracle.dispatched(calls)
        link.sendToWorker(.dispatch(clusterTime: Timestamp(milliseconds: world.time / 1_000), calls))
        if isBusy { dispatchSoon() }
    }

    private func makeCall(on shards: [UInt8]) -> DispatchedCall {
        let shard = shards[Int.random(in: 0..<shards.count, using: &world.random)]
        let token = world.makeToken(leads[shard] ?? LeadProof(epoch: 0))
        return DispatchedCall(
            token: token,
            code: AuthenticationCode(high: 1, low: token.sequence),
            shard: shard,
            executionID: ExecutionID(UniqueID(high: 1, low: token.sequence)),
            jobID: JobID(UniqueID(high: 2, low: UInt64(shard))),
            attempt: 1,
            scheduledTime: Timestamp(milliseconds: 0),
            startBeforeClockMicroseconds: world.random.happens(0.1) ? latestStart : nil,
            kind: world.random.happens(0.03) ? .unsupported : .http(HTTPCall(url: "http://target/")),
            timeoutMs: 30_000,
            connectTimeoutMs: 10_000,
            atMostOnce: world.random.happens(0.3),
            responseLimit: 100
        )
    }

    /// A time before or after the call can arrive.
    private var latestStart: UInt64 {
        (world.now + Int64.random(in: -50...50, using: &world.random)).microseconds
    }

    // MARK: Messages of the worker

    func received(_ message: Message, over link: ModelLink) {
        switch message {
        case .credit(let granted):
            link.granted = granted
            dispatchSoon()
        case .outcome(let outcomes): record(outcomes, over: link)
        case .leadRefused(let epoch, let shards, let highest):
            world.oracle.refused(epoch, shards, by: highest)
            for shard in shards where leads[shard]?.epoch == epoch { leads[shard] = nil }
        case .holding, .started, .claimAnswer: break
        default: world.oracle.fail("a leader was sent \(message.name)")
        }
    }

    /// Records outcomes after a while if this scheduler then leads their shards. Only recorded outcomes are
    /// acknowledged.
    private func record(_ outcomes: [CallOutcome], over link: ModelLink) {
        world.plan(Int64.random(in: 1_000...200_000, using: &world.random)) { [self] in
            let own = outcomes.filter { world.isLeader(index, of: $0.shard) && leads[$0.shard] != nil }
            for outcome in own { world.oracle.recorded.insert(outcome.token) }
            if !own.isEmpty { link.sendToWorker(.outcomeAck(own.map { AcknowledgedOutcome($0.token, .recorded) })) }
        }
    }

    // MARK: Wrong dispatches

    /// Calls of shards that this scheduler does not lead, and whose outcomes it did not receive.
    private var foreignCalls: [DispatchedCall] {
        world.oracle.calls.values.filter { call in
            leads[call.shard] == nil && world.oracle.reportedTo[call.token] != link?.id
        }.sorted { $0.token < $1.token }.suffix(20)
    }

    func sendForeignAcknowledgements() {
        let tokens = foreignCalls.map { AcknowledgedOutcome($0.token, .recorded) }
        if !tokens.isEmpty { link?.sendToWorker(.outcomeAck(tokens)) }
    }

    func sendForeignCancels() {
        let tokens = foreignCalls.map(\.token)
        if !tokens.isEmpty { link?.sendToWorker(.cancel(tokens)) }
    }

    func askAboutForeignClaims() {
        let claims = foreignCalls.map {
            QueriedClaim(token: $0.token, executionID: $0.executionID, attempt: $0.attempt, shard: $0.shard)
        }
        if !claims.isEmpty { link?.sendToWorker(.claimQuery(claims)) }
    }
}
