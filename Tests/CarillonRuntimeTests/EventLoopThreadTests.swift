import CarillonCore
import CarillonRuntime
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct EventLoopThreadTests {
    /// Records the handler's calls, and reports when there are enough.
    private final class Journal<Event: Sendable>: Sendable {
        private struct State {
            var events: [Event] = []
            var calls = 0
            var goal = Int.max
            var waiting: CheckedContinuation<Void, Never>?
        }

        private let state = Mutex(State())

        var events: [Event] { state.withLock { $0.events } }
        var calls: Int { state.withLock { $0.calls } }

        func record(_ events: [Event]) {
            let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
                state.events += events
                state.calls += 1
                guard state.events.count >= state.goal else { return nil }
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }

        func until(count: Int) async {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.events.count >= count { return true }
                    state.goal = count
                    state.waiting = continuation
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    /// A thread-safe generator with a seed.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9e37_79b9_7f4a_7c15
            var mixed = state
            mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
            mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
            return mixed ^ (mixed >> 31)
        }
    }

    @Test func handsOverInOrder() async {
        let journal = Journal<Int>()
        let eventLoop = EventLoopThread<Int>(name: "order") { events, _ in
            journal.record(events)
            return nil
        }
        eventLoop.post(1)
        eventLoop.post(contentsOf: [2, 3])
        eventLoop.start()
        eventLoop.post(4)
        eventLoop.post(contentsOf: 5...9)
        await journal.until(count: 9)
        #expect(journal.events == Array(1...9))
        eventLoop.stop()
    }

    /// Only posts can wake this event loop: if one wake-up is lost, the test does not end.
    @Test(arguments: [1, 2, 3, 4, 5] as [UInt64])
    func losesNoWakeUp(seed: UInt64) async {
        let (posters, each) = (4, 5_000)
        let journal = Journal<(Int, Int)>()
        let eventLoop = EventLoopThread<(Int, Int)>(name: "contention") { events, _ in
            journal.record(events)
            return nil
        }
        eventLoop.start()
        await withTaskGroup(of: Void.self) { group in
            for poster in 0..<posters {
                group.addTask {
                    var random = Numbers(state: seed &* 1000 &+ UInt64(poster))
                    var next = 0
                    while next < each {
                        switch Int.random(in: 0..<8, using: &random) {
                        case 0:
                            let end = min(each, next + Int.random(in: 1...20, using: &random))
                            eventLoop.post(contentsOf: (next..<end).map { (poster, $0) })
                            next = end
                        case 1:
                            await Task.yield()
                        default:
                            eventLoop.post((poster, next))
                            next += 1
                        }
                    }
                }
            }
        }
        await journal.until(count: posters * each)
        for poster in 0..<posters {
            let seen = journal.events.filter { $0.0 == poster }.map(\.1)
            #expect(seen == Array(0..<each), "poster \(poster), seed \(seed)")
        }
        eventLoop.stop()
    }

    /// Each event is posted after the previous one was handled, so the thread falls asleep between any two.
    @Test func wakesForEachOfALongExchange() async {
        let journal = Journal<Int>()
        let eventLoop = EventLoopThread<Int>(name: "exchange") { events, _ in
            journal.record(events)
            return nil
        }
        eventLoop.start()
        for number in 1...2_000 {
            eventLoop.post(number)
            await journal.until(count: number)
        }
        #expect(journal.events == Array(1...2_000))
        eventLoop.stop()
    }

    @Test func callsAtTheRequestedTime() async {
        let journal = Journal<Int64>()
        let wanted = Mutex<BootTime?>(nil)
        let eventLoop = EventLoopThread<Int>(name: "timer") { events, now in
            let due = wanted.withLock { $0 }
            if let due, now.boot >= due {
                journal.record([now.boot - due])
                wanted.withLock { $0 = nil }
                return nil
            }
            if !events.isEmpty {
                let next = now.boot + 5
                wanted.withLock { $0 = next }
                return next
            }
            return nil
        }
        eventLoop.start()
        for count in 1...20 {
            eventLoop.post(count)
            await journal.until(count: count)
        }
        #expect(journal.events.allSatisfy { $0 >= 0 })
        eventLoop.stop()
    }

    /// A past instant, including the first nanosecond, is due at once and does not disarm the timer.
    @Test func takesAnInstantOfThePast() async {
        let journal = Journal<Int>()
        let eventLoop = EventLoopThread<Int>(name: "past") { _, _ in
            journal.record([journal.calls])
            return journal.calls < 5 ? BootTime(nanoseconds: 0) : nil
        }
        eventLoop.start()
        await journal.until(count: 5)
        eventLoop.stop()
    }

    @Test func wakesByItselfWhenAskedTo() async {
        let journal = Journal<Int>()
        let eventLoop = EventLoopThread<Int>(name: "patience", maxSleepMs: 5) { _, _ in
            journal.record([0])
            return nil
        }
        eventLoop.start()
        await journal.until(count: 10)
        eventLoop.stop()
    }

    @Test func handlesAllPostedEventsBeforeTheEnd() {
        let journal = Journal<Int>()
        let eventLoop = EventLoopThread<Int>(name: "end") { events, _ in
            journal.record(events)
            return nil
        }
        eventLoop.start()
        eventLoop.post(contentsOf: 0..<1_000)
        eventLoop.stop()
        #expect(journal.events == Array(0..<1_000))
        #expect(!eventLoop.post(1_000))
        #expect(!eventLoop.post(contentsOf: [1_001]))
        eventLoop.stop()
        eventLoop.start()
        #expect(journal.events.count == 1_000)
    }

    /// Many threads may call stop at once; all calls return only after the thread has ended.
    @Test func startsAndStopsUnderStress() async {
        for _ in 0..<100 {
            let journal = Journal<Int>()
            let eventLoop = EventLoopThread<Int>(name: "stress", maxSleepMs: 1) { events, _ in
                journal.record(events)
                return nil
            }
            eventLoop.start()
            await withTaskGroup(of: Void.self) { group in
                for poster in 0..<4 {
                    group.addTask {
                        eventLoop.post(poster)
                        eventLoop.stop()
                    }
                }
            }
            let handled = journal.calls
            eventLoop.post(9)
            #expect(journal.calls == handled)
        }
    }

    @Test func canBeStoppedFromItsOwnHandler() async {
        let journal = Journal<Int>()
        let holder = Mutex<EventLoopThread<Int>?>(nil)
        let eventLoop = EventLoopThread<Int>(name: "own") { events, _ in
            if !events.isEmpty {
                holder.withLock { $0 }?.stop()
                journal.record(events)
            }
            return nil
        }
        holder.withLock { $0 = eventLoop }
        eventLoop.start()
        eventLoop.post(1)
        await journal.until(count: 1)
        eventLoop.stop()
        #expect(!eventLoop.post(2))
        holder.withLock { $0 = nil }
    }
}
