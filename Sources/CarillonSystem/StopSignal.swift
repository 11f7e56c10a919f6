internal import Synchronization

/// A request to stop the process, raised once by a signal.
package final class StopSignal: Sendable {
    private struct State {
        var name: String?
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Later calls have no effect.
    package func raise(_ name: String) {
        let waiting = state.withLock { state in
            guard state.name == nil else { return [] as [CheckedContinuation<Void, Never>] }
            state.name = name
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    package var isRaised: Bool { state.withLock { $0.name != nil } }

    /// The name of the signal, such as SIGTERM.
    package var name: String { state.withLock { $0.name } ?? "" }

    /// Returns once the signal is raised.
    package func wait() async {
        await withCheckedContinuation { continuation in
            let isRaised = state.withLock { state in
                if state.name == nil { state.waiting.append(continuation) }
                return state.name != nil
            }
            if isRaised { continuation.resume() }
        }
    }
}
