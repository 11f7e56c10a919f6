internal import CarillonRuntime
internal import Glibc
internal import Synchronization

/// Requests for a thread, and the signal to stop.
final class Mailbox<Request: Sendable>: Sendable {
    let wakeUp = WakeSignal()
    private let state = Mutex(State())

    private struct State {
        var waiting: [Request] = []
        var isClosed = false
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Returns whether the thread will get the request: not after closing, and not above `limit` waiting requests.
    func post(_ request: Request, limit: Int = .max) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isClosed, state.waiting.count < limit else { return false }
            state.waiting.append(request)
            return true
        }
        if isTaken { wakeUp.signal() }
        return isTaken
    }

    func takeAll() -> [Request] {
        wakeUp.clear()
        return state.withLock { state in
            let taken = state.waiting
            state.waiting = []
            return taken
        }
    }

    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp.signal()
    }

    /// Waits until there is a request, the mailbox is closed, `socket` is readable or `limitMs` has passed.
    func wait(socket: Int32 = -1, limitMs: Int64 = -1) -> (hasRequests: Bool, socketIsReady: Bool) {
        if state.withLock({ !$0.waiting.isEmpty || $0.isClosed }) { return (true, false) }
        var descriptors = [
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, 2, Int32(clamping: limitMs))
        return (descriptors[0].revents != 0, descriptors[1].revents != 0)
    }

    /// Sleeps; returns false if the mailbox is closed. Requests that arrive meanwhile wait.
    func sleep(ms: Int64) -> Bool {
        let end = SystemClock.bootMilliseconds() + ms
        while !isClosed {
            let left = end - SystemClock.bootMilliseconds()
            guard left > 0 else { return true }
            var descriptor = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, Int32(min(left, 100))) > 0 {
                // A request was posted. It is in the array, so the signal can be cleared.
                wakeUp.clear()
            }
        }
        return false
    }
}
