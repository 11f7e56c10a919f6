internal import CarillonRuntime
internal import Glibc
internal import Synchronization

/// The signals that stop a process: SIGTERM, SIGINT, and SIGHUP unless it is ignored (nohup).
///
/// The first signal requests an orderly stop. The same signal again ends the process at once, with the exit status of a shell for
/// that signal. A different signal does not, because Ctrl-C reaches the process group and the parent may send SIGTERM as well.
/// Handlers are used instead of a blocked mask, because a child process inherits a mask.
package enum Signals {
    /// The only state that the handler uses. The handler may interrupt any code, on any thread.
    private static let wakeDescriptor = Atomic<Int32>(-1)
    private static let first = Atomic<Int32>(0)

    /// Wakes the thread that calls the handler; never closed.
    private static let wake = WakeSignal(.counting)

    /// Ignores SIGPIPE (a write to a closed socket returns an error) and installs the signal handlers. `handler` is called once, on a
    /// separate thread, with the name of the signal. Must be called once, early.
    package static func install(_ handler: @escaping @Sendable (_ name: String) -> Void) {
        signal(SIGPIPE, SIG_IGN)
        let previous = wakeDescriptor.exchange(wake.descriptor, ordering: .sequentiallyConsistent)
        precondition(previous == -1, "signals are installed once")
        _ = first.load(ordering: .sequentiallyConsistent)
        NativeThread.startDetached(name: "signals") {
            wake.take()
            handler(name(of: first.load(ordering: .sequentiallyConsistent)))
        }
        listen(to: SIGTERM)
        listen(to: SIGINT)
        if !isIgnored(SIGHUP) { listen(to: SIGHUP) }
    }

    /// Installs the handlers, and returns the name of the signal that requested the stop.
    package static func untilStopped() async -> String {
        await withCheckedContinuation { continuation in
            install { continuation.resume(returning: $0) }
        }
    }

    private static func listen(to number: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { @Sendable number in Signals.received(number) }
        action.sa_flags = SA_RESTART
        sigemptyset(&action.sa_mask)
        sigaction(number, &action, nil)
    }

    private static func isIgnored(_ number: Int32) -> Bool {
        var action = sigaction()
        sigaction(number, nil, &action)
        return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN as __sighandler_t?, to: Int.self)
    }

    /// Uses only async-signal-safe operations: atomics, write, _exit.
    private static func received(_ number: Int32) {
        let kept = errno
        let (isFirst, earlier) = first.compareExchange(
            expected: 0,
            desired: number,
            ordering: .sequentiallyConsistent
        )
        if isFirst {
            WakeSignal.signal(descriptor: wakeDescriptor.load(ordering: .sequentiallyConsistent))
        } else if earlier == number {
            _exit(128 + number)
        }
        errno = kept
    }

    private static func name(of number: Int32) -> String {
        switch number {
        case SIGTERM: "SIGTERM"
        case SIGINT: "SIGINT"
        case SIGHUP: "SIGHUP"
        default: "signal \(number)"
        }
    }
}
