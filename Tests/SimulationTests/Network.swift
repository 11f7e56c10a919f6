import CarillonCore
import CarillonWire
import TestSupport

/// The connections between workers and schedulers. Each keeps the order of its bytes, and each end learns of a cut at its own
/// time, if need be by the other's silence.
final class Network {
    private unowned let world: World
    private var links: [LinkID: Link] = [:]
    private var nextID: LinkID = 1

    init(world: World) {
        self.world = world
    }

    func latency() -> Int64 {
        Int64.random(in: 50...Int64(world.options.delayMs) * 1_000, using: &world.random)
    }

    private var openLinks: [Link] { links.values.filter(\.isOpen).sorted { $0.id < $1.id } }

    // MARK: Connecting

    /// A worker dials until it is connected.
    func dial(_ worker: WorkerProcess, _ scheduler: SchedulerProcess, after microseconds: Int64 = 0) {
        let life = worker.life
        world.after(microseconds + latency()) { [self] in
            worker.whenRunning(life) { [self] in
                guard scheduler.isAlive else { return dial(worker, scheduler, after: 300_000) }
                let link = Link(nextID, worker, scheduler, self, world)
                nextID += 1
                links[link.id] = link
                link.begin()
            }
        }
    }

    func redial(_ worker: WorkerProcess, _ scheduler: SchedulerProcess) {
        guard worker.isAlive else { return }
        dial(worker, scheduler, after: Int64.random(in: 20_000...500_000, using: &world.random))
    }

    func forget(_ link: Link) { links[link.id] = nil }

    // MARK: Messages

    func toScheduler(_ id: LinkID, _ message: Message) { links[id]?.send(Envelope(message), from: .worker) }
    func toWorker(_ id: LinkID, _ message: Message) { links[id]?.send(Envelope(message), from: .scheduler) }

    // MARK: Cutting

    func cutOne() {
        guard let link = openLinks.randomElement(using: &world.random) else { return }
        world.count("connection cut")
        link.cut()
        // An end that hears nothing believes in its connection until the heartbeat is missed.
        for end in [Link.End.scheduler, .worker] where world.random.happens(0.8) {
            link.notices(end, afterMs: noticeMs())
        }
    }

    private func noticeMs() -> Int {
        world.random.happens(0.85)
            ? Int.random(in: 0...50, using: &world.random) : Int.random(in: 50...9_000, using: &world.random)
    }

    func schedulerEnded(_ scheduler: SchedulerProcess) {
        for link in links.values.sorted(by: { $0.id < $1.id }) where link.scheduler === scheduler {
            link.cut()
            if world.random.happens(0.9) {
                link.notices(.worker, afterMs: Int.random(in: 0...30, using: &world.random))
            }
        }
    }

    func workerEnded(_ worker: WorkerProcess) {
        for link in links.values.sorted(by: { $0.id < $1.id }) where link.worker === worker {
            link.cut()
            if world.random.happens(0.7) {
                link.notices(.scheduler, afterMs: Int.random(in: 0...30, using: &world.random))
            }
        }
    }

    func paused(scheduler: SchedulerProcess) {
        for link in openLinks where link.scheduler === scheduler { world.oracle.disturbed(worker: link.worker.name) }
    }

    /// Every clock has jumped: each end looks at it.
    func tickAll() {
        for link in links.values.sorted(by: { $0.id < $1.id }) {
            link.tick(.scheduler)
            link.tick(.worker)
        }
    }
}
