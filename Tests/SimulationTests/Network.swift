import CarillonCore
import TestSupport

/// What schedulers say to workers.
enum WorkerMessage {
    case lead(epoch: Int64, leads: Bool)
    case dispatch([DispatchedCall])
    case acknowledge([Token])
    case cancel([Token])
}

/// Connections between workers and schedulers. Each keeps the order of its messages; what is under way when one is cut is
/// lost, and each end learns of the cut at its own time.
final class Network {
    private final class Link {
        let id: LinkID
        let worker: WorkerProcess
        let workerLife: Int
        let scheduler: SchedulerProcess
        let schedulerLife: Int
        var isOpen = true
        var schedulerKnows = false
        var workerKnows = false
        var lastToScheduler: Int64 = 0
        var lastToWorker: Int64 = 0

        init(_ id: LinkID, _ worker: WorkerProcess, _ scheduler: SchedulerProcess) {
            self.id = id
            self.worker = worker
            self.workerLife = worker.life
            self.scheduler = scheduler
            self.schedulerLife = scheduler.life
        }
    }

    private unowned let world: World
    private var links: [LinkID: Link] = [:]
    private var nextID: LinkID = 1

    init(world: World) {
        self.world = world
    }

    private func latency() -> Int64 {
        Int64.random(in: 50...Int64(world.options.delayMs) * 1_000, using: &world.random)
    }

    private var openLinks: [Link] { links.values.filter(\.isOpen).sorted { $0.id < $1.id } }

    // MARK: Connecting

    /// A worker dials until it is connected.
    func dial(_ worker: WorkerProcess, _ scheduler: SchedulerProcess, after microseconds: Int64 = 0) {
        let life = worker.life
        world.after(microseconds + latency()) { [self] in
            guard worker.life == life else { return }
            guard scheduler.isAlive, !scheduler.isPaused, !worker.isPaused else {
                return dial(worker, scheduler, after: 300_000)
            }
            let link = Link(nextID, worker, scheduler)
            nextID += 1
            links[link.id] = link
            scheduler.post(
                .workerJoined(
                    link.id,
                    name: worker.name,
                    bootID: worker.bootID,
                    maxWorkers: world.options.slotsPerWorker
                )
            )
            worker.connected(link.id)
        }
    }

    // MARK: Messages

    func toScheduler(_ id: LinkID, _ event: Event) {
        guard let link = links[id], link.isOpen else { return }
        link.lastToScheduler = max(link.lastToScheduler, world.time + latency())
        world.after(link.lastToScheduler - world.time) {
            if link.isOpen, link.scheduler.life == link.schedulerLife { link.scheduler.post(event) }
        }
    }

    func toWorker(_ id: LinkID, _ message: WorkerMessage) {
        guard let link = links[id], link.isOpen else { return }
        link.lastToWorker = max(link.lastToWorker, world.time + latency())
        world.after(link.lastToWorker - world.time) {
            guard link.isOpen else { return }
            link.worker.whenRunning(link.workerLife) { link.worker.received(message, over: id) }
        }
    }

    // MARK: Cutting

    func cutOne() {
        guard let link = openLinks.randomElement(using: &world.random) else { return }
        world.count("connection cut")
        // Half-open for a while: an end that hears nothing believes in its connection until the heartbeat is missed.
        let (schedulerEnd, workerEnd) = (noticeMs(), noticeMs())
        cut(link, schedulerMs: schedulerEnd, workerMs: workerEnd)
    }

    private func noticeMs() -> Int {
        world.random.happens(0.7)
            ? Int.random(in: 0...50, using: &world.random) : Int.random(in: 50...10_000, using: &world.random)
    }

    private func cut(_ link: Link, schedulerMs: Int, workerMs: Int) {
        guard link.isOpen else { return }
        link.isOpen = false
        world.oracle.disturbed(worker: link.worker.name)
        schedulerNotices(link, afterMs: schedulerMs)
        workerNotices(link, afterMs: workerMs)
    }

    private func schedulerNotices(_ link: Link, afterMs milliseconds: Int) {
        world.after(Int64(milliseconds) * 1_000 + 100) { [self] in
            guard !link.schedulerKnows, link.scheduler.life == link.schedulerLife else { return }
            link.schedulerKnows = true
            link.scheduler.post(.workerLeft(link.id))
            if link.workerKnows { links[link.id] = nil }
        }
    }

    private func workerNotices(_ link: Link, afterMs milliseconds: Int) {
        world.after(Int64(milliseconds) * 1_000 + 100) { [self] in
            guard !link.workerKnows else { return }
            link.workerKnows = true
            link.worker.whenRunning(link.workerLife) { [self] in
                link.worker.disconnected(link.id)
                let wait = Int64.random(in: 20_000...500_000, using: &world.random)
                dial(link.worker, link.scheduler, after: wait)
            }
        }
    }

    func schedulerEnded(_ scheduler: SchedulerProcess) {
        for link in openLinks where link.scheduler === scheduler {
            link.isOpen = false
            world.oracle.disturbed(worker: link.worker.name)
            workerNotices(link, afterMs: Int.random(in: 0...30, using: &world.random))
        }
    }

    func workerEnded(_ worker: WorkerProcess) {
        for link in openLinks where link.worker === worker {
            link.isOpen = false
            let isQuick = world.random.happens(0.7)
            schedulerNotices(link, afterMs: isQuick ? Int.random(in: 0...30, using: &world.random) : 10_000)
        }
    }

    /// A paused end is given up by the other after ten seconds without a byte.
    func paused(scheduler: SchedulerProcess, forMs milliseconds: Int) {
        for link in openLinks where link.scheduler === scheduler {
            giveUp(link, pausedForMs: milliseconds, workerIsPaused: false)
        }
    }

    func paused(worker: WorkerProcess, forMs milliseconds: Int) {
        for link in openLinks where link.worker === worker {
            giveUp(link, pausedForMs: milliseconds, workerIsPaused: true)
        }
    }

    private func giveUp(_ link: Link, pausedForMs milliseconds: Int, workerIsPaused: Bool) {
        world.oracle.disturbed(worker: link.worker.name)
        guard milliseconds > 10_000 else { return }
        world.after(10_000_000) { [self] in
            cut(
                link,
                schedulerMs: workerIsPaused ? 0 : milliseconds - 10_000,
                workerMs: workerIsPaused ? milliseconds - 10_000 : 0
            )
        }
    }
}
