internal import CarillonCore
internal import CarillonWire
internal import NIOCore
internal import Synchronization

/// What is to be sent on one connection, filled from any thread and emptied on the connection's event loop. Everything that
/// gathers before the loop comes to it is written together and flushed once.
final class Outbox: PeerLink, Sendable {
    enum Item: Sendable {
        case envelope(Envelope)
        /// Dropped when it is not written before.
        case dated(Envelope, before: BootTime)
        /// A whole frame, ready made, and its message's name.
        case frame([UInt8], name: String)
    }

    private struct State {
        var items: [Item] = []
        var closing: String?
        var isScheduled = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    private let drain: NIOLoopBoundBox<(any OutboxOwner)?>

    /// On the loop.
    init(loop: any EventLoop, owner: any OutboxOwner) {
        self.loop = loop
        drain = NIOLoopBoundBox(owner, eventLoop: loop)
    }

    func send(_ envelopes: [Envelope]) {
        guard !envelopes.isEmpty else { return }
        schedule { $0.items.append(contentsOf: envelopes.map(Item.envelope)) }
    }

    func send(_ envelopes: [Envelope], before deadline: BootTime) {
        guard !envelopes.isEmpty else { return }
        schedule { $0.items.append(contentsOf: envelopes.map { .dated($0, before: deadline) }) }
    }

    /// Returns whether it was taken: not once the connection has ended.
    @discardableResult
    func send(frame: [UInt8], name: String) -> Bool {
        schedule { $0.items.append(.frame(frame, name: name)) }
    }

    func close(why: String) {
        schedule { if $0.closing == nil { $0.closing = why } }
    }

    @discardableResult
    private func schedule(_ change: (inout State) -> Void) -> Bool {
        let (taken, mustSchedule) = state.withLock { state in
            guard !state.isClosed else { return (false, false) }
            change(&state)
            let mustSchedule = !state.isScheduled
            state.isScheduled = true
            return (true, mustSchedule)
        }
        if mustSchedule {
            loop.execute { self.drain.value?.drainOutbox() }
        }
        return taken
    }

    /// On the loop: what has gathered, and the reason to close after it, if there is one.
    func take() -> (items: [Item], closing: String?) {
        state.withLock { state in
            state.isScheduled = false
            defer { state.items = [] }
            return (state.items, state.closing)
        }
    }

    /// On the loop: the connection has ended.
    func end() {
        state.withLock { state in
            state.isClosed = true
            state.items = []
        }
        drain.value = nil
    }
}

/// The channel handler that empties an outbox.
protocol OutboxOwner: AnyObject {
    func drainOutbox()
}
