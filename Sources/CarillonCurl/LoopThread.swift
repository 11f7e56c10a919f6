internal import CLinux
internal import Glibc

/// A thread outside of Swift's own pool, for a loop that sleeps in the kernel.
struct LoopThread: Sendable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private let id: UInt

    /// The thread, and those that libcurl starts from it, get no SIGPIPE: OpenSSL writes to sockets that may be closed.
    static func start(name: String, _ run: @escaping @Sendable () -> Void) -> LoopThread {
        let body = Body {
            pthread_setname_np(pthread_self(), name)
            var pipes = sigset_t()
            sigemptyset(&pipes)
            sigaddset(&pipes, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &pipes, nil)
            _ = carillon_set_timer_slack(1)
            // libcurl takes host names for text of the locale; the process itself is in the locale C, which has ASCII only.
            let utf8 = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
            if let utf8 { uselocale(utf8) }
            run()
            if let utf8 {
                uselocale(locale_t(bitPattern: -1))
                freelocale(utf8)
            }
        }
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run() }
                return nil
            },
            Unmanaged.passRetained(body).toOpaque()
        )
        precondition(result == 0, "no thread can be started (error \(result)); raise the limit with ulimit -u")
        return LoopThread(id: thread)
    }

    func join() {
        pthread_join(id, nil)
    }
}

/// CLOCK_BOOTTIME in nanoseconds.
enum BootClock {
    static var nanoseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_BOOTTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
