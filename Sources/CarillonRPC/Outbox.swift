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
        /// Who waits for the items to be written.
        var waiting: [CheckedContinuation<Void, Never>] = []
        var closing: String?
        var isScheduled = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    private let owner: NIOLoopBoundBox<(any OutboxOwner)?>

    /// On the loop.
    init(loop: any EventLoop, owner: any OutboxOwner) {
        self.loop = loop
        self.owner = NIOLoopBoundBox(owner, eventLoop: loop)
    }

    func send(_ envelopes: [Envelope]) {
        guard !envelopes.isEmpty else { return }
        schedule { $0.items.append(contentsOf: envelopes.map(Item.envelope)) }
    }

    func send(_ envelopes: [Envelope], before deadline: BootTime) {
        guard !envelopes.isEmpty else { return }
        schedule { $0.items.append(contentsOf: envelopes.map { .dated($0, before: deadline) }) }
    }

    func deliver(_ envelopes: [Envelope]) async {
        await withCheckedContinuation { continuation in
            let isTaken = schedule {
                $0.items.append(contentsOf: envelopes.map(Item.envelope))
                $0.waiting.append(continuation)
            }
            if !isTaken { continuation.resume() }
        }
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
            loop.execute { self.owner.value?.drainOutbox() }
        }
        return taken
    }

    /// On the loop: writes what has gathered, and tells those who wait for it. Returns the reason to close after it, if there
    /// is one.
    func drain(_ write: ([Item]) -> Void) -> String? {
        let (items, waiting, closing) = state.withLock { state in
            state.isScheduled = false
            defer { (state.items, state.waiting) = ([], []) }
            return (state.items, state.waiting, state.closing)
        }
        write(items)
        for continuation in waiting { continuation.resume() }
        return closing
    }

    /// On the loop: the connection has ended.
    func end() {
        let waiting = state.withLock { state in
            state.isClosed = true
            defer { (state.items, state.waiting) = ([], []) }
            return state.waiting
        }
        owner.value = nil
        for continuation in waiting { continuation.resume() }
    }
}

/// The channel handler that empties an outbox.
protocol OutboxOwner: AnyObject {
    func drainOutbox()
}
