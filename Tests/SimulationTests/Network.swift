import CarillonCore
import CarillonWire
import TestSupport

/// The connections of workers and clients to schedulers. Each connection keeps the order of its bytes. Each end detects
/// a cut independently, at the latest by missing heartbeats.
final class Network {
    private unowned let world: World
    private var links: [ConnectionID: Link] = [:]
    /// By connection, also those that are gone.
    private var dialerNames: [ConnectionID: String] = [:]
    private var nextID: ConnectionID = 1
    /// By scheduler: the time until which no worker can reach it.
    private var isolatedUntil: [Int: Int64] = [:]

    init(world: World) {
        self.world = world
    }

    func latency() -> Int64 {
        Int64.random(in: 50...Int64(world.options.delayMs) * 1_000, using: &world.random)
    }

    private var openLinks: [Link] { links.values.filter(\.isOpen).sorted { $0.id < $1.id } }

    // MARK: Connecting

    /// A worker or a client dials until it is connected.
    func dial(_ dialer: any Dialer, _ scheduler: SchedulerProcess, after microseconds: Int64 = 0) {
        let life = dialer.life
        world.after(microseconds + latency()) { [self] in
            dialer.whenRunning(life) { [self] in
                guard scheduler.isAlive, !isIsolated(scheduler, from: dialer) else {
                    return dial(dialer, scheduler, after: 300_000)
                }
                let link = Link(nextID, dialer, scheduler, self, world)
                nextID += 1
                links[link.id] = link
                dialerNames[link.id] = dialer.name
                link.begin()
            }
        }
    }

    func redial(_ dialer: any Dialer, _ scheduler: SchedulerProcess) {
        guard dialer.isAlive else { return }
        dial(dialer, scheduler, after: Int64.random(in: 20_000...500_000, using: &world.random))
    }

    func isOpen(_ id: ConnectionID) -> Bool { links[id]?.isOpen ?? false }

    func forget(_ link: Link) { links[link.id] = nil }

    // MARK: Messages

    func toScheduler(_ id: ConnectionID, _ message: Message) { links[id]?.send(Envelope(message), from: .dialer) }
    /// Sends a client's request.
    func ask(_ id: ConnectionID, _ request: Envelope) { links[id]?.send(request, from: .dialer) }
    func toWorker(_ id: ConnectionID, _ message: Message) { links[id]?.send(Envelope(message), from: .scheduler) }

    /// The name of the worker or client of a connection.
    func dialerName(of id: ConnectionID) -> String? { links[id]?.dialer.name }
    /// Who was at the other end, also of a connection that is gone.
    func formerDialerName(of id: ConnectionID) -> String? { dialerNames[id] }

    /// A scheduler refuses a worker.
    func refuse(_ id: ConnectionID, why: String) { links[id]?.close(.scheduler, why) }

    // MARK: Cutting

    func cutOne() {
        guard let link = openLinks.randomElement(using: &world.random) else { return }
        if world.random.happens(0.2) {
            world.count("connection cut one way")
            return link.cut(from: world.random.happens(0.5) ? .scheduler : .dialer)
        }
        world.count("connection cut")
        link.cut()
        // An end that receives nothing keeps the connection until the heartbeat timeout.
        for end in [Link.End.scheduler, .dialer] where world.random.happens(0.8) {
            link.notices(end, afterMs: noticeMs())
        }
    }

    /// No worker can reach that scheduler for a while.
    func isolate(_ scheduler: SchedulerProcess, forMs milliseconds: Int) {
        isolatedUntil[scheduler.index] = world.time + Int64(milliseconds) * 1_000
        for link in openLinks where link.scheduler === scheduler && link.dialer.role == .worker {
            link.cut()
            for end in [Link.End.scheduler, .dialer] { link.notices(end, afterMs: noticeMs()) }
        }
    }

    private func isIsolated(_ scheduler: SchedulerProcess, from dialer: any Dialer) -> Bool {
        dialer.role == .worker && world.time < isolatedUntil[scheduler.index] ?? 0
    }

    func stallOne() {
        guard let link = openLinks.randomElement(using: &world.random) else { return }
        world.count("connection stalled")
        let milliseconds = Int.random(in: 300...8_000, using: &world.random)
        let ends = [[Link.End.scheduler], [.dialer], [.scheduler, .dialer]].randomElement(using: &world.random) ?? []
        for end in ends { link.stall(from: end, forMs: milliseconds) }
    }

    private func noticeMs() -> Int {
        world.random.happens(0.85)
            ? Int.random(in: 0...50, using: &world.random) : Int.random(in: 50...9_000, using: &world.random)
    }

    func schedulerEnded(_ scheduler: SchedulerProcess) {
        for link in links.values.sorted(by: { $0.id < $1.id }) where link.scheduler === scheduler {
            link.cut()
            if world.random.happens(0.9) {
                link.notices(.dialer, afterMs: Int.random(in: 0...30, using: &world.random))
            }
        }
    }

    func workerEnded(_ worker: WorkerProcess) {
        for link in links.values.sorted(by: { $0.id < $1.id }) where link.dialer === worker {
            link.cut()
            if world.random.happens(0.7) {
                link.notices(.scheduler, afterMs: Int.random(in: 0...30, using: &world.random))
            }
        }
    }

    func paused(scheduler: SchedulerProcess) {
        for link in openLinks where link.scheduler === scheduler { world.oracle.disturbed(worker: link.dialer.name) }
    }

    /// All clocks have stepped: pass the time to each end.
    func tickAll() {
        for link in links.values.sorted(by: { $0.id < $1.id }) {
            link.tick(.scheduler)
            link.tick(.dialer)
        }
    }
}
