internal import Synchronization

/// Suspends callers until it is opened, once.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }

    /// Waits until the latch is open, and opens it after `limitMs`.
    func wait(limitMs: Int) async {
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(limitMs))
            open()
        }
        await wait()
        timer.cancel()
    }
}
