internal import Glibc
internal import Synchronization

/// Requests for a thread, and the sign that it is to end.
final class Mailbox<Request: Sendable>: Sendable {
    let wakeUp = WakeUp()
    private let state = Mutex(State())

    private struct State {
        var waiting: [Request] = []
        var isClosed = false
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Whether the thread will see it: not when it is closed, or when `limit` requests wait already.
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

    /// Waits until there is a request, the mailbox is closed, `socket` has something to say or `limitMs` have passed.
    func wait(socket: Int32 = -1, limitMs: Int = -1) -> (hasRequests: Bool, socketIsReady: Bool) {
        if state.withLock({ !$0.waiting.isEmpty || $0.isClosed }) { return (true, false) }
        var descriptors = [
            pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0),
            pollfd(fd: socket, events: Int16(POLLIN), revents: 0),
        ]
        _ = poll(&descriptors, 2, Int32(limitMs))
        return (descriptors[0].revents != 0, descriptors[1].revents != 0)
    }

    /// Sleeps, unless it is closed: returns false then. Requests that come meanwhile wait.
    func sleep(ms: Int) -> Bool {
        let end = Clock.milliseconds() + Int64(ms)
        while !isClosed {
            let left = end - Clock.milliseconds()
            guard left > 0 else { return true }
            var descriptor = pollfd(fd: wakeUp.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&descriptor, 1, Int32(min(left, 100))) > 0 {
                // Somebody posted: the requests are still in the array, so the sign may be cleared.
                wakeUp.clear()
            }
        }
        return false
    }
}

/// A thread of our own.
enum WorkThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Runs `body` on a new thread; `name` (at most 15 bytes) is what `top -H` shows.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let boxed = Body {
            nameThread(name)
            body()
        }
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            Unmanaged.passRetained(boxed).toOpaque()
        )
        precondition(
            code == 0,
            "no thread for \(name) (error \(code)): the limit of processes is too low; raise ulimit -u"
        )
        pthread_detach(thread)
    }

    /// What the kernel calls the thread that calls this.
    private static func nameThread(_ text: String) {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        _ = write(file, text, text.utf8.count)
        close(file)
    }
}
