internal import CLinux
internal import Glibc

/// A thread outside of Swift's pool, for loops that sleep in the kernel.
package struct NativeThread: Sendable, Equatable {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    private let id: UInt

    /// The calling thread.
    package static var current: NativeThread { NativeThread(id: UInt(pthread_self())) }

    /// Starts a thread, which must be joined or detached. The kernel keeps 15 bytes of its name.
    package static func start(name: String, _ run: @escaping @Sendable () -> Void) -> NativeThread {
        let body = Body {
            pthread_setname_np(pthread_self(), String(decoding: name.utf8.prefix(15), as: UTF8.self))
            run()
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
        precondition(
            result == 0,
            "the thread \(name) cannot be started (error \(result)); raise the limit with ulimit -u"
        )
        return NativeThread(id: UInt(thread))
    }

    /// Starts a thread that is not joined.
    package static func startDetached(name: String, _ run: @escaping @Sendable () -> Void) {
        start(name: name, run).detach()
    }

    /// Returns when the thread has ended. Must be called once, and not after `detach`.
    package func join() {
        pthread_join(pthread_t(id), nil)
    }

    /// Releases the thread's resources as soon as it ends.
    package func detach() {
        pthread_detach(pthread_t(id))
    }

    /// Blocks the calling thread.
    package static func sleep(ms: Int64) {
        var time = timespec(tv_sec: Int(ms / 1_000), tv_nsec: Int(ms % 1_000) * 1_000_000)
        nanosleep(&time, nil)
    }

    /// Disables the kernel's usual delay of 50 µs for timed waits of the calling thread.
    package static func wakeOnTime() {
        _ = carillon_set_timer_slack(1)
    }
}
