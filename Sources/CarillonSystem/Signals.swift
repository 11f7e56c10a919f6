internal import CarillonRuntime
internal import Glibc
internal import Synchronization

/// The signals that end a process: SIGTERM, SIGINT, and SIGHUP where it is not ignored already (nohup).
///
/// The first one asks for an orderly end. The same one once more ends the process at once, with the exit status that a
/// shell gives to a death by that signal; a different one does not, since Ctrl-C reaches a whole process group and its
/// parent may well send SIGTERM too. Handlers and not a blocked mask are used: a child process inherits a mask.
package enum Signals {
    /// What the handler may touch: it runs in the middle of anything, on any thread.
    private static let wakeDescriptor = Atomic<Int32>(-1)
    private static let first = Atomic<Int32>(0)

    /// Of the thread that calls the handler; never closed.
    private static let wake = WakeSignal(.counting)

    /// Ignores SIGPIPE (a write to a closed socket is an error that is handled where it happens) and begins to listen.
    /// `handler` is called once, on a thread of its own, with the name of the signal. To be called once, early.
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

    /// Installs, and returns the name of the signal that asked for the end once there is one.
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

    /// Only what a signal handler may do: atomics, write, _exit.
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
