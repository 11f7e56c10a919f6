internal import CLinux
internal import CarillonCore
internal import Glibc
internal import Synchronization

/// What other threads have for the loop. They wake it only when it sleeps.
final class Inbox: Sendable {
    struct Content {
        var requests: [HTTPRequest] = []
        var cancelled: [Token] = []
        var isStopping = false

        var isEmpty: Bool { requests.isEmpty && cancelled.isEmpty }
    }

    private struct State {
        var content = Content()
        var isAsleep = false
    }

    /// An eventfd that the loop waits for beside its sockets.
    let descriptor: Int32
    private let state = Mutex(State())

    init() {
        descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        precondition(
            descriptor >= 0,
            "no file descriptor is left for an event loop (errno \(errno)); raise the limit with ulimit -n"
        )
    }

    deinit {
        close(descriptor)
    }

    func post(_ change: (inout Content) -> Void) {
        let isToBeWoken = state.withLock { state in
            change(&state.content)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if isToBeWoken { eventfd_write(descriptor, 1) }
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
        var value: eventfd_t = 0
        eventfd_read(descriptor, &value)
    }
}
