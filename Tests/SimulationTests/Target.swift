import CarillonCore
import TestSupport

/// The HTTP targets: they answer, fail, hang, answer late, send Retry-After, or are unreachable. They record all calls.
final class Target {
    struct Call {
        var call: DispatchedCall
        var worker: String
        /// A fault of its worker or of the leader occurred during the call, so its outcome may be lost.
        var isDisturbed = false
    }

    /// A text that the database refuses.
    static let unwantedText = "unwanted"

    private unowned let world: World
    private(set) var running: [DispatchToken: Call] = [:]
    private var cuts: [DispatchToken: () -> Void] = [:]

    init(world: World) {
        self.world = world
    }

    func begin(_ call: DispatchedCall, by worker: WorkerProcess) {
        let life = worker.life
        let timeout = Int64(call.timeoutMs) * 1_000
        let isTroubled = world.faultsAreOn && world.random.happens(world.options.targetTrouble)
        // If workers are killed often, calls last long enough to be lost with them.
        let kinds = world.options.workerKillsPerSecond >= 1 ? 1...2 : 0...5
        let trouble = isTroubled ? Int.random(in: kinds, using: &world.random) : -1
        guard trouble != 0 else {
            world.count("target not reached")
            end(worker, life, CallOutcome(call, .notSent), after: 5_000)
            return
        }
        world.after(Int64.random(in: 100...3_000, using: &world.random)) { [self] in
            worker.whenRunning(life) { [self] in arrive(call, by: worker, life, timeout, trouble) }
        }
    }

    private func arrive(_ call: DispatchedCall, by worker: WorkerProcess, _ life: Int, _ timeout: Int64, _ trouble: Int)
    {
        running[call.token] = Call(call: call, worker: worker.name)
        world.oracle.requested(call, by: worker.name, worker.bootID)
        cuts[call.token] = { [self] in end(worker, life, CallOutcome(call, .cancelled), after: 1_000) }
        let quick = Int64.random(in: 500...80_000, using: &world.random)
        switch trouble {
        case 1:
            world.count("target hangs")
            end(worker, life, CallOutcome(call, .failed), after: timeout)
        case 2:
            world.count("target answers late")
            end(worker, life, CallOutcome(call, .answered, status: 200), after: timeout * 9 / 10)
        case 3:
            world.count("target asks for patience")
            end(worker, life, CallOutcome(call, .answered, status: 503, retryAfterMs: 2_500), after: quick)
        case 4, 5:
            world.count("target fails")
            end(worker, life, CallOutcome(call, .answered, status: 500), after: quick)
        default:
            end(worker, life, CallOutcome(call, .answered, status: 200), after: quick)
        }
    }

    private func end(_ worker: WorkerProcess, _ life: Int, _ outcome: CallOutcome, after microseconds: Int64) {
        let startedAt = world.elapsed
        var outcome = outcome
        if world.faultsAreOn, outcome.kind == .answered, world.random.happens(world.options.refusedTexts) {
            outcome.response = Self.unwantedText
        }
        world.after(microseconds) { [self] in
            running[outcome.token] = nil
            cuts[outcome.token] = nil
            worker.whenRunning(life) { [outcome] in worker.ended(outcome, startedAt: startedAt) }
        }
    }

    /// A worker stops a call.
    func cut(_ token: DispatchToken) { cuts[token]?() }

    func workerEnded(_ name: String) {
        running = running.filter { $0.value.worker != name }
    }

    func disturb(_ isConcerned: (Call) -> Bool) {
        for token in running.keys.sorted() where running[token].map(isConcerned) ?? false {
            running[token]?.isDisturbed = true
        }
    }
}
