internal import Synchronization

/// Something that is reached once, and those who wait for it.
final class Milestone: Sendable {
    private struct State {
        var isReached = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    func reach() {
        let waiting = state.withLock { state in
            state.isReached = true
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func wait() async {
        await withCheckedContinuation { continuation in
            let isReached = state.withLock { state in
                if !state.isReached { state.waiting.append(continuation) }
                return state.isReached
            }
            if isReached { continuation.resume() }
        }
    }

    /// Waits for it, and takes it for reached when that lasts too long.
    func wait(limitMs: Int) async {
        let timer = Task {
            try? await Task.sleep(for: .milliseconds(limitMs))
            reach()
        }
        await wait()
        timer.cancel()
    }
}
