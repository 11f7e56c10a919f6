internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// What other threads have for the loop. They wake it only when it sleeps.
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

    /// What the loop waits for beside its sockets.
    private let wake = WakeSignal()
    private let state = Mutex(State())

    /// To be watched for reading.
    var descriptor: Int32 { wake.descriptor }

    func post(_ change: (inout Content) -> Void) {
        let isToBeWoken = state.withLock { state in
            change(&state.content)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if isToBeWoken { wake.signal() }
    }

    /// On the loop's thread: what has gathered.
    func take() -> Content {
        state.withLock { state in
            state.isAsleep = false
            let taken = state.content
            state.content = Content(isStopping: taken.isStopping)
            return taken
        }
    }

    /// On the loop's thread, before it waits: whether there is nothing, so that whoever posts next must wake it.
    func fallAsleep(unlessStopping: Bool) -> Bool {
        state.withLock { state in
            state.isAsleep = state.content.isEmpty && !(unlessStopping && state.content.isStopping)
            return state.isAsleep
        }
    }

    /// On the loop's thread, after a wait.
    func clearWake() {
        wake.clear()
    }
}
