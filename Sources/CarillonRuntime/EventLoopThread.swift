package import CarillonCore
internal import Synchronization

/// A loop on a thread of its own that turns what others post, and time, into calls of one handler, one at a time.
///
/// The handler gets everything that was posted since its last call, in the order of posting (of one poster), and says
/// when it wants to be called at the latest. It is called with no events when that time has come, when the longest
/// sleep has passed, and when the wall clock was stepped. Posting costs a lock and, only when the thread sleeps, one
/// system call.
package final class EventLoopThread<Event: Sendable>: Sendable {
    /// Takes the events (what it leaves in the array is dropped) and returns the next time to be called, `nil` for none.
    package typealias Handler = @Sendable (_ events: inout [Event], _ now: Now) -> BootTime?

    private struct Inbox {
        var events: [Event] = []
        /// Whether the thread is about to wait, so that it needs a knock.
        var isAsleep = false
        var isStopping = false
    }

    /// A burst may make the arrays large; what is larger than this is given back.
    private static var keptCapacity: Int { 65_536 }

    private let name: String
    private let maxSleepMs: Int?
    private let handle: Handler
    private let sources = WakeSources()
    private let inbox = Mutex(Inbox())
    private let thread = Mutex<NativeThread?>(nil)
    /// The thread as it knows itself: `thread` is locked while another one waits for its end.
    private let runner = Mutex<NativeThread?>(nil)

    /// - Parameters:
    ///   - name: of the thread; the kernel keeps 15 bytes of it.
    ///   - maxSleepMs: the handler is called at least this often; `nil` leaves that to the handler.
    package init(name: String, maxSleepMs: Int? = nil, handle: @escaping Handler) {
        self.name = name
        self.maxSleepMs = maxSleepMs
        self.handle = handle
    }

    /// Begins to work; the handler is called once, soon. A second start does nothing. The event loop lives until it is stopped.
    package func start() {
        thread.withLock { thread in
            guard thread == nil, !inbox.withLock({ $0.isStopping }) else { return }
            thread = NativeThread.start(name: name) { self.run() }
        }
    }

    /// Posts an event. Returns `false`, and drops it, when the event loop is stopping.
    @discardableResult
    package func post(_ event: Event) -> Bool {
        post { $0.append(event) }
    }

    /// Posts events that stay together and in order. Returns `false`, and drops them, when the event loop is stopping.
    @discardableResult
    package func post(contentsOf events: some Sequence<Event>) -> Bool {
        post { $0.append(contentsOf: events) }
    }

    private func post(_ append: (inout [Event]) -> Void) -> Bool {
        let (isAccepted, isToBeWoken) = inbox.withLock { inbox in
            guard !inbox.isStopping else { return (false, false) }
            append(&inbox.events)
            defer { inbox.isAsleep = false }
            return (true, inbox.isAsleep)
        }
        if isToBeWoken { sources.wake.signal() }
        return isAccepted
    }

    /// Lets the handler have what was posted before, then ends the thread and returns when it has ended. From the
    /// handler itself it returns at once, and the thread ends after that call.
    package func stop() {
        inbox.withLock { $0.isStopping = true }
        sources.wake.signal()
        if runner.withLock({ $0 }) == NativeThread.current { return }
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    /// How long to sleep at the most, in milliseconds; -1 for ever. The timer wakes at the very instant: this is a moment later,
    /// for a kernel, or a library in front of it, whose timer does not come.
    private func patience(until wake: BootTime?, at now: BootTime) -> Int32 {
        let longest = maxSleepMs ?? .max
        guard let wake else { return maxSleepMs == nil ? -1 : Int32(clamping: longest) }
        return Int32(clamping: min(Int64(longest), max(0, wake.milliseconds(since: now)) + 2))
    }

    private func run() {
        runner.withLock { $0 = NativeThread.current }
        NativeThread.wakeOnTime()
        var batch: [Event] = []
        var wake: BootTime?
        var armed: BootTime?
        var isFirst = true
        while true {
            var now = SystemClock.now()
            let isDue = isFirst || (wake.map { $0 <= now.boot } ?? false)
            isFirst = false
            let (isAsleep, isStopping) = inbox.withLock { inbox in
                swap(&batch, &inbox.events)
                inbox.isAsleep = batch.isEmpty && !isDue && !inbox.isStopping
                return (inbox.isAsleep, inbox.isStopping)
            }
            if isAsleep {
                if armed != wake {
                    sources.arm(wake)
                    armed = wake
                }
                sources.wait(timeoutMs: patience(until: wake, at: now.boot))
                inbox.withLock { inbox in
                    swap(&batch, &inbox.events)
                    inbox.isAsleep = false
                }
                now = SystemClock.now()
            } else if isStopping, batch.isEmpty {
                break
            }
            wake = handle(&batch, now)
            if batch.capacity > Self.keptCapacity { batch = [] } else { batch.removeAll(keepingCapacity: true) }
        }
    }
}
