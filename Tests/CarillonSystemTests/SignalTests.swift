import CarillonSystem
import Glibc
import Synchronization
import Testing

/// Each test runs in a separate process, because signal handlers belong to a process.
@Suite(.timeLimit(.minutes(1)))
struct SignalTests {
    @Test(arguments: ["SIGTERM", "SIGINT", "SIGHUP"])
    func firstSignalRequestsAStop(name: String) async {
        // An exit test captures only the listed values.
        await #expect(processExitsWith: .exitCode(7)) { [name = name as String] in
            Signals.install { said in _exit(said == name ? 7 : 8) }
            unblockSignals()
            raise(["SIGTERM": SIGTERM, "SIGINT": SIGINT, "SIGHUP": SIGHUP][name] ?? 0)
            while true { pause() }
        }
    }

    @Test func sameSignalAgainEndsAtOnce() async {
        await #expect(processExitsWith: .exitCode(128 + SIGINT)) {
            Signals.install { _ in while true { pause() } }
            unblockSignals()
            raise(SIGINT)
            raise(SIGTERM)
            raise(SIGINT)
            while true { pause() }
        }
    }

    @Test func brokenPipesAreErrors() async {
        await #expect(processExitsWith: .exitCode(EPIPE)) {
            Signals.install { _ in }
            var ends: [Int32] = [0, 0]
            pipe(&ends)
            close(ends[0])
            let written = write(ends[1], "x", 1)
            _exit(written < 0 ? errno : 0)
        }
    }
}

/// The threads of Swift's pool block all signals, and `raise` signals the calling thread.
private func unblockSignals() {
    var all = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_UNBLOCK, &all, nil)
}
