import CarillonCore
import CarillonWire
import TestSupport

/// A connection between the worker and a model leader: frames arrive in pieces and in order until it is cut.
final class ModelLink {
    let id: ConnectionID
    private unowned let leader: ModelLeader
    private unowned let world: SeveralLeaders
    private var toWorker = FrameDecoder()
    private var toLeader = FrameDecoder()
    private var lastAtWorker: Int64 = 0
    private var lastAtLeader: Int64 = 0
    private(set) var isUp = true
    /// The total number of calls that the leader may dispatch, and the number dispatched.
    var granted: UInt64 = 0
    var sent: UInt64 = 0

    init(id: ConnectionID, leader: ModelLeader, world: SeveralLeaders) {
        self.id = id
        self.leader = leader
        self.world = world
    }

    func sendToWorker(_ message: Message) {
        send(message, &lastAtWorker) { [self] bytes in
            guard isUp else { return }
            feed(bytes, &toWorker) { world.receivedByWorker($0, over: self) }
        }
    }

    func sendToLeader(_ message: Message) {
        send(message, &lastAtLeader) { [self] bytes in
            guard isUp else { return }
            feed(bytes, &toLeader) { leader.received($0, over: self) }
        }
    }

    /// Each end is notified after its own delay.
    func cut() {
        guard isUp else { return }
        isUp = false
        world.plan(Int64.random(in: 1_000...600_000, using: &world.random)) { [self] in world.tell(.disconnected(id)) }
        world.plan(Int64.random(in: 1_000...600_000, using: &world.random)) { [self] in leader.lost(self) }
    }

    private func send(_ message: Message, _ last: inout Int64, _ arrive: @escaping ([UInt8]) -> Void) {
        guard isUp else { return }
        var rest = MessageCodec.frame(of: Envelope(message))[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(Int.random(in: 1...400, using: &world.random)))
            rest = rest.dropFirst(piece.count)
            last = max(last, world.time + Int64.random(in: 100...30_000, using: &world.random))
            world.plan(last - world.time) { arrive(piece) }
        }
    }

    private func feed(_ bytes: [UInt8], _ decoder: inout FrameDecoder, _ deliver: (Message) -> Void) {
        var messages: [Message] = []
        do throws(WireError) {
            try decoder.feed(bytes) { (payload) throws(WireError) in
                messages.append(try world.codec.decode(payload: payload).message)
            }
        } catch {
            world.oracle.fail("undecodable: \(error)")
        }
        for message in messages { deliver(message) }
    }
}

extension SeveralLeaders {
    func receivedByWorker(_ message: Message, over link: ModelLink) {
        switch message {
        case .lead(let lead, let shards): tell(.leadAnnounced(link.id, lead, shards: shards))
        case .dispatch(_, let calls): dispatched(calls, over: link)
        case .outcomeAck(let outcomes): tell(.acknowledged(link.id, outcomes))
        case .cancel(let tokens): tell(.cancelRequested(link.id, tokens))
        case .claimQuery(let claims): tell(.claimsQueried(link.id, claims))
        default: oracle.fail("a worker was sent \(message.name)")
        }
    }
}
