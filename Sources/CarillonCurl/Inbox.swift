internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// Requests from other threads for the loop. A sender wakes the loop only when it sleeps.
final class Inbox: Sendable {
    struct Content {
        var requests: [HTTPRequest] = []
        var cancelled: [DispatchToken] = []
        var isStopping = false

        var isEmpty: Bool { requests.isEmpty && cancelled.isEmpty }
    }

    private struct State {
        var content = Content()
        var isAsleep = false
    }

    /// Wakes the loop's wait.
    private let wake = WakeSignal()
    private let state = Mutex(State())

    /// The descriptor to watch for reading.
    var descriptor: Int32 { wake.descriptor }

    func post(_ change: (inout Content) -> Void) {
        let isToBeWoken = state.withLock { state in
            change(&state.content)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if isToBeWoken { wake.signal() }
    }

    /// Called on the loop's thread: takes the gathered content.
    func take() -> Content {
        state.withLock { state in
            state.isAsleep = false
            let taken = state.content
            state.content = Content(isStopping: taken.isStopping)
            return taken
        }
    }

    /// Called on the loop's thread before it waits. Returns whether the inbox is empty; the next sender must then wake the loop.
    func fallAsleep(unlessStopping: Bool) -> Bool {
        state.withLock { state in
            state.isAsleep = state.content.isEmpty && !(unlessStopping && state.content.isStopping)
            return state.isAsleep
        }
    }

    /// Called on the loop's thread after a wait.
    func clearWake() {
        wake.clear()
    }
}
