internal import CarillonRuntime
internal import Glibc

/// The threads of libcurl.
enum CallThread {
    /// Blocks SIGPIPE on the thread and on threads that libcurl starts from it, because OpenSSL writes to sockets that may be closed.
    static func start(name: String, _ run: @escaping @Sendable () -> Void) -> NativeThread {
        NativeThread.start(name: name) {
            var pipes = sigset_t()
            sigemptyset(&pipes)
            sigaddset(&pipes, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &pipes, nil)
            NativeThread.wakeOnTime()
            // libcurl interprets host names in the locale; the process uses the locale C, which is ASCII only.
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
