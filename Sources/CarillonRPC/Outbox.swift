internal import CarillonCore
internal import CarillonWire
internal import NIOCore
internal import Synchronization

/// The outgoing messages of one connection: filled from any thread, emptied on the connection's event loop. Messages that
/// gather before the loop runs are written together and flushed once.
final class Outbox: PeerLink, Sendable {
    enum Item: Sendable {
        case envelope(Envelope)
        /// Dropped unless written before the deadline.
        case dated(Envelope, before: BootTime)
        /// A complete, encoded frame, and its message's name.
        case frame([UInt8], name: String)
    }

    private struct State {
        var items: [Item] = []
        /// Callers that wait until the items are written.
        var waiting: [CheckedContinuation<Void, Never>] = []
        var closing: String?
        var isScheduled = false
        var isClosed = false
    }

    private let state = Mutex(State())
    private let loop: any EventLoop
    private let owner: NIOLoopBoundBox<(any OutboxOwner)?>

    /// Called on the event loop.
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

    /// Returns false once the connection has ended.
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

    /// Called on the event loop: writes the queued items and resumes the callers that wait for them. Returns the reason to close
    /// the connection afterwards, or `nil`.
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

    /// Called on the event loop when the connection has ended.
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
