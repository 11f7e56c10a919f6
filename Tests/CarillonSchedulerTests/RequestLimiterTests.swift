import CarillonCore
import Synchronization
import TestSupport
import Testing

@testable import CarillonScheduler

@Suite(.timeLimit(.minutes(1))) struct RequestLimiterTests {
    /// Requests that stay in progress until the test finishes them, in the order in which they started.
    private final class Questions: Sendable {
        private struct State {
            var begun: [String] = []
            var open: [String: CheckedContinuation<Void, Never>] = [:]
            var waiters: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
        }

        private let state = Mutex(State())

        var begun: [String] { state.withLock { $0.begun } }

        func ask(_ name: String) async {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { state in
                    state.begun.append(name)
                    state.open[name] = continuation
                    let ready = state.waiters.filter { $0.count <= state.begun.count }
                    state.waiters.removeAll { $0.count <= state.begun.count }
                    return ready
                }
                for waiter in ready { waiter.continuation.resume() }
            }
        }

        func answer(_ name: String) {
            state.withLock { $0.open.removeValue(forKey: name) }?.resume()
        }

        func until(_ count: Int) async {
            await withCheckedContinuation { continuation in
                let isThere = state.withLock { state in
                    if state.begun.count >= count { return true }
                    state.waiters.append((count, continuation))
                    return false
                }
                if isThere { continuation.resume() }
            }
        }
    }

    private let limiter = RequestLimiter(share: 2)
    private let questions = Questions()

    init() {
        for connection in 1...2 { limiter.open(connection) }
    }

    /// Submits a request, and returns once the request is running or queued.
    private func ask(_ name: String, of connection: Int) async -> Task<Void, any Error> {
        let known = limiter.count(of: connection)
        let task = Task { [limiter, questions] in
            try await limiter.take(connection) { () async throws(ClientError) in await questions.ask(name) }
        }
        while limiter.count(of: connection) == known { await Task.yield() }
        return task
    }

    @Test func eachConnectionHasItsShare() async throws {
        var tasks: [Task<Void, any Error>] = []
        for name in ["a1", "a2", "a3", "a4"] { tasks.append(await ask(name, of: 1)) }
        tasks.append(await ask("b1", of: 2))
        await questions.until(3)
        #expect(questions.begun.sorted() == ["a1", "a2", "b1"])
        questions.answer("a2")
        await questions.until(4)
        #expect(questions.begun.last == "a3", "the oldest waiting request is next")
        questions.answer("a1")
        await questions.until(5)
        for name in ["a3", "a4", "b1"] { questions.answer(name) }
        for task in tasks { try await task.value }
        #expect(limiter.count(of: 1) == 0)
        #expect(limiter.count(of: 2) == 0)
    }

    @Test func aFullConnectionWaits() async throws {
        limiter.hold(1, true)
        let held = await ask("held", of: 1)
        let other = await ask("other", of: 2)
        await questions.until(1)
        #expect(questions.begun == ["other"])
        limiter.hold(1, false)
        await questions.until(2)
        #expect(questions.begun == ["other", "held"])
        for name in questions.begun { questions.answer(name) }
        try await held.value
        try await other.value
    }

    @Test func requestsOfAClosedConnectionAreNotStarted() async throws {
        let first = await ask("first", of: 1)
        let second = await ask("second", of: 1)
        await questions.until(2)
        let third = await ask("third", of: 1)
        limiter.hold(1, true)
        limiter.forget(1)
        await #expect(throws: ClientError.self) { try await third.value }
        for name in questions.begun { questions.answer(name) }
        try await first.value
        try await second.value
        #expect(questions.begun.sorted() == ["first", "second"])
        #expect(limiter.count(of: 1) == 0)
        // A request that arrives after the end of its connection fails as well.
        await #expect(throws: ClientError.self) {
            try await limiter.take(1) { () async throws(ClientError) in await questions.ask("late") }
        }
        #expect(!questions.begun.contains("late"))
    }
}
