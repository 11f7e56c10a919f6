package import CarillonCore
internal import Synchronization

/// An event loop on a separate thread: calls one handler for posted events and at requested times, one call at a time.
///
/// The handler gets all events posted since its last call (in order for each poster), and returns the latest time of its next call.
/// The loop also calls it at that time, after the longest sleep, and after a step of the wall clock. Posting costs a lock, and
/// a system call only if the thread sleeps.
package final class EventLoopThread<Event: Sendable>: Sendable {
    /// Handles the events (events left in the array are dropped) and returns the next time to be called, or `nil`.
    package typealias Handler = @Sendable (_ events: inout [Event], _ now: Now) -> BootTime?

    private struct Inbox {
        var events: [Event] = []
        /// Whether the thread is about to wait and needs a wake-up.
        var isAsleep = false
        var isStopping = false
    }

    /// A burst may enlarge the arrays; a larger capacity than this is released.
    private static var keptCapacity: Int { 65_536 }

    private let name: String
    private let maxSleepMs: Int?
    private let handle: Handler
    private let sources = WakeSources()
    private let inbox = Mutex(Inbox())
    private let thread = Mutex<NativeThread?>(nil)
    /// The running thread. `thread` is locked while another thread waits for its end.
    private let runner = Mutex<NativeThread?>(nil)

    /// - Parameters:
    ///   - name: the thread's name; the kernel keeps 15 bytes.
    ///   - maxSleepMs: the longest time between calls of the handler; `nil` for no limit.
    package init(name: String, maxSleepMs: Int? = nil, handle: @escaping Handler) {
        self.name = name
        self.maxSleepMs = maxSleepMs
        self.handle = handle
    }

    /// Starts the thread; the first call of the handler follows soon. A second start does nothing. Must be stopped.
    package func start() {
        thread.withLock { thread in
            guard thread == nil, !inbox.withLock({ $0.isStopping }) else { return }
            thread = NativeThread.start(name: name) { self.run() }
        }
    }

    /// Posts an event. Returns `false` and drops the event when the event loop is stopping.
    @discardableResult
    package func post(_ event: Event) -> Bool {
        post { $0.append(event) }
    }

    /// Posts several events together and in order. Returns `false` and drops them when the event loop is stopping.
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

    /// Passes all posted events to the handler, then ends the thread and returns when it has ended. When called from the handler, it
    /// returns at once, and the thread ends after that call.
    package func stop() {
        inbox.withLock { $0.isStopping = true }
        sources.wake.signal()
        if runner.withLock({ $0 }) == NativeThread.current { return }
        thread.withLock { thread in
            thread?.join()
            thread = nil
        }
    }

    /// The timeout of the sleep in milliseconds; -1 for no limit. The timer wakes at the exact time; the timeout is slightly later, in
    /// case the timer does not fire because of a kernel or a preloaded library.
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
