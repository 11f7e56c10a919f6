import CarillonCore
import CarillonWire
import TestSupport

/// The process of all clients: a connection to each scheduler, and the requests that wait for a response.
final class ClientProcess: Dialer {
    enum Reply {
        case answer(Answer)
        case error(ClientError)
        /// The request was sent, and its outcome is unknown.
        case lost
        /// There is no connection to that scheduler.
        case notSent
    }

    private struct Waiting {
        var link: ConnectionID
        var answer: (Reply) -> Void
    }

    private unowned let world: World
    private let clock: ProcessClock
    private let bootID: UniqueID
    /// The established connections by scheduler.
    private var links: [Int: ConnectionID] = [:]
    private var waiting: [UInt64: Waiting] = [:]
    private var nextID: UInt64 = 1

    init(world: World) {
        self.world = world
        clock = ProcessClock(world: world)
        bootID = UniqueID.random(using: &world.random)
    }

    let name = "client"
    let role = Role.client
    let life = 1
    let isAlive = true
    var wireNow: WireNow { clock.wireNow }
    var hello: Hello { Hello(role: .client, name: name, bootID: bootID, version: "simulated") }

    func start() {
        for scheduler in world.schedulers { world.network.dial(self, scheduler) }
    }

    func whenRunning(_ life: Int, _ work: @escaping () -> Void) { work() }

    // MARK: Requests

    /// Sends a request; `answer` is called once, unless the request is forgotten first. Returns the id of the request.
    func ask(_ request: Request, of scheduler: SchedulerProcess, _ answer: @escaping (Reply) -> Void) -> UInt64 {
        let id = nextID
        nextID += 1
        guard let link = links[scheduler.index] else {
            answer(.notSent)
            return id
        }
        waiting[id] = Waiting(link: link, answer: answer)
        world.network.ask(link, Envelope(id: id, .request(request)))
        return id
    }

    /// Stops waiting for the response. Returns whether there was none yet.
    func forget(_ id: UInt64) -> Bool { waiting.removeValue(forKey: id) != nil }

    // MARK: Messages from connections

    func connected(_ link: Link) { links[link.scheduler.index] = link.id }

    func disconnected(_ link: Link) {
        if links[link.scheduler.index] == link.id { links[link.scheduler.index] = nil }
        for (id, lost) in waiting.filter({ $0.value.link == link.id }).sorted(by: { $0.key < $1.key }) {
            world.count("client lost its connection")
            waiting[id] = nil
            lost.answer(.lost)
        }
    }

    func received(_ envelope: Envelope, over link: Link) {
        // Ignore the response to a forgotten request.
        guard let asked = waiting[envelope.id] else { return }
        world.oracle.require(
            asked.link == link.id,
            "the wire: request \(envelope.id) was answered on another connection"
        )
        waiting[envelope.id] = nil
        switch envelope.message {
        case .answer(let answer): asked.answer(.answer(answer))
        case .error(let error): asked.answer(.error(error))
        default: world.oracle.require(false, "the wire: a client was given \(envelope.message.name)")
        }
    }
}
