internal import CarillonRuntime
internal import Glibc

/// A thread on which libcurl works.
enum CallThread {
    /// The thread, and those that libcurl starts from it, get no SIGPIPE: OpenSSL writes to sockets that may be closed.
    static func start(name: String, _ run: @escaping @Sendable () -> Void) -> NativeThread {
        NativeThread.start(name: name) {
            var pipes = sigset_t()
            sigemptyset(&pipes)
            sigaddset(&pipes, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &pipes, nil)
            NativeThread.wakeOnTime()
            // libcurl takes host names for text of the locale; the process itself is in the locale C, which has ASCII only.
            let utf8 = newlocale(1 << LC_CTYPE, "C.UTF-8", nil)
            if let utf8 { uselocale(utf8) }
            run()
            if let utf8 {
                uselocale(locale_t(bitPattern: -1))
                freelocale(utf8)
            }
        }
    }
}
