import CarillonCore
import TestSupport
import Testing

/// Random events in any order, checked with a model of the schedulers' knowledge.
@Suite("WorkerEngine with random events")
struct WorkerEngineRandomTests {
    @Test("no slot is promised twice, no call runs twice, no outcome is lost", arguments: 0..<UInt64(200))
    func anything(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let maxWorkers = Int.random(in: 1...8, using: &random)
        var bench = WorkerBench(maxWorkers: maxWorkers)
        var model = Model()
        for step in 0..<400 {
            let events = model.events(at: bench.now, using: &random)
            for event in events {
                let done = bench.turn(event)
                model.apply(done)
                #expect(model.problem(maxWorkers: maxWorkers) == nil, "seed \(seed), step \(step), \(event)")
                // Calls on the credit of a previous leader are accepted and returned.
                #expect(bench.engine.heldCount <= 5 * maxWorkers, "seed \(seed), step \(step), \(event)")
                #expect(bench.engine.runningCount == model.running.count, "seed \(seed), step \(step), \(event)")
                #expect(bench.engine.inconsistency == nil, "seed \(seed), step \(step), \(event)")
            }
            bench.wait(milliseconds: Int64.random(in: 0...400, using: &random))
        }
        // Finally a leader that acknowledges everything.
        let final = 1_000
        model.epoch += 1
        model.apply(bench.turn(.connected(final), .leadAnnounced(final, LeadProof(epoch: model.epoch), shards: [0])))
        for _ in 0..<50 {
            bench.wait(milliseconds: 1_000)
            model.apply(bench.turn())
            for token in model.running { model.apply(bench.turn(.ended([bench.result(token)]))) }
            model.running = []
            let tokens = model.unacknowledged.filter { $0.value == final }.keys.sorted()
            model.apply(bench.turn(.acknowledged(final, tokens.map { AcknowledgedOutcome($0, .recorded) })))
            for token in tokens { model.unacknowledged[token] = nil }
        }
        #expect(bench.engine.heldCount == 0, "seed \(seed)")
        #expect(model.accepted == model.reported, "seed \(seed)")
    }

    /// The knowledge of the schedulers, and the running calls.
    struct Model {
        struct Link {
            var epoch: Int64?
            var granted: UInt64 = 0
            var sent: UInt64 = 0
            var free: UInt64 { granted > sent ? granted - sent : 0 }
        }

        var links: [ConnectionID: Link] = [:]
        var nextLink = 1
        var epoch: Int64 = 1
        var sequence: UInt64 = 0
        var running: Set<DispatchToken> = []
        var everStarted: Set<DispatchToken> = []
        var accepted: Set<DispatchToken> = []
        var reported: Set<DispatchToken> = []
        /// The connection over which each outcome was last reported.
        var unacknowledged: [DispatchToken: ConnectionID] = [:]
        var repeatedStart: DispatchToken?
        var brokenCredit = false

        var leader: ConnectionID? { links.filter { $0.value.epoch == epoch }.keys.max() }

        mutating func events(at now: BootTime, using random: inout SeededGenerator) -> [WorkerEvent] {
            switch Int.random(in: 0..<12, using: &random) {
            case 0 where links.count < 3:
                defer { nextLink += 1 }
                links[nextLink] = Link()
                return [.connected(nextLink)]
            case 1 where random.happens(0.5):
                guard let link = links.keys.sorted().randomElement(using: &random) else { return [] }
                links[link] = nil
                return [.disconnected(link)]
            case 2:
                guard let link = links.keys.sorted().randomElement(using: &random) else { return [] }
                if leader == nil || random.happens(0.3) { epoch += 1 }
                links[link]?.epoch = epoch
                return [.leadAnnounced(link, LeadProof(epoch: epoch), shards: [0])]
            case 3 where random.happens(0.2):
                guard let link = leader else { return [] }
                links[link]?.epoch = nil
                return [.leadAnnounced(link, LeadProof(epoch: epoch), shards: [])]
            case 4, 5, 6:
                guard let link = leader, let free = links[link]?.free, free > 0 else { return [] }
                let calls = (0..<UInt64.random(in: 1...free, using: &random)).map { _ in
                    sequence += 1
                    return WorkerBench.call(
                        sequence,
                        epoch: epoch,
                        after: UInt64.random(in: 0...1, using: &random) * 300_000
                    )
                }
                links[link]?.sent += UInt64(calls.count)
                accepted.formUnion(calls.map(\.token))
                return [.dispatched(link, clusterTime: WorkerBench.clusterTime, calls, receivedAt: now)]
            case 7, 8:
                guard let token = running.sorted().randomElement(using: &random) else { return [] }
                running.remove(token)
                return [
                    .ended([HTTPResult(token: token, kind: .answered, startedAt: now, durationMicroseconds: 1)])
                ]
            case 9, 10:
                guard let link = links.keys.sorted().randomElement(using: &random) else { return [] }
                let reported = unacknowledged.filter { $0.value == link }.keys.sorted()
                let tokens = reported.filter { _ in random.happens(0.7) }
                for token in tokens { unacknowledged[token] = nil }
                return [.acknowledged(link, tokens.map { AcknowledgedOutcome($0, .recorded) })]
            default:
                guard let link = leader,
                    let token = accepted.subtracting(reported).sorted().randomElement(using: &random)
                else { return [] }
                return [.cancelRequested(link, [token])]
            }
        }

        mutating func apply(_ done: WorkerBench.Done) {
            for action in done.actions {
                switch action {
                case .start(let requests):
                    for request in requests {
                        if !everStarted.insert(request.token).inserted { repeatedStart = request.token }
                        running.insert(request.token)
                    }
                case .report(let link, let outcomes):
                    reported.formUnion(outcomes.map(\.token))
                    for outcome in outcomes { unacknowledged[outcome.token] = link }
                case .grant(let link, let granted):
                    if let sent = links[link]?.sent, granted < sent { brokenCredit = true }
                    links[link]?.granted = granted
                default: break
                }
            }
        }

        func problem(maxWorkers: Int) -> String? {
            if let repeatedStart { return "\(repeatedStart) was started twice" }
            if brokenCredit { return "used credit was withdrawn" }
            if running.count > maxWorkers { return "\(running.count) calls run" }
            return nil
        }
    }
}
