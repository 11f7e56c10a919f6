internal import CLinux
internal import Glibc

/// A thread outside of Swift's own pool, for loops that sleep in the kernel.
package enum NativeThread {
    private final class Body: Sendable {
        let run: @Sendable () -> Void

        init(_ run: @escaping @Sendable () -> Void) {
            self.run = run
        }
    }

    /// Starts a thread; what is returned is its pthread_t, to be joined or detached. The kernel keeps 15 bytes of its name.
    package static func start(name: String, _ run: @escaping @Sendable () -> Void) -> UInt {
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
        precondition(result == 0, "no thread can be started (error \(result)); raise the limit with ulimit -u")
        return thread
    }
}
