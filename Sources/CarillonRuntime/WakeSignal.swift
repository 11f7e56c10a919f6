internal import CLinux
internal import Glibc

/// Wakes a thread that waits for a descriptor: an eventfd.
package struct WakeSignal: ~Copyable, Sendable {
    package enum Kind: Sendable {
        /// Signals add up to one, and `clear` takes it. Reading never blocks.
        case merging
        /// Each signal is taken by one `take`, which waits for it.
        case counting
    }

    /// To be watched for reading.
    package let descriptor: Int32

    package init(_ kind: Kind = .merging) {
        switch kind {
        case .merging: descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        case .counting: descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))
        }
        precondition(
            descriptor >= 0,
            "no file descriptor is left to wake a thread with (errno \(errno)); raise the limit with ulimit -n"
        )
    }

    deinit {
        close(descriptor)
    }

    /// Wakes the waiting thread, or keeps it from falling asleep. May be called on any thread.
    package func signal(_ count: Int = 1) {
        eventfd_write(descriptor, UInt64(count))
    }

    /// As `signal`, for a signal handler, which may only call functions such as write.
    package static func signal(descriptor: Int32) {
        eventfd_write(descriptor, 1)
    }

    /// Takes all signals of a merging one.
    package func clear() {
        var value: eventfd_t = 0
        eventfd_read(descriptor, &value)
    }

    /// Takes one signal of a counting one, and waits for it.
    package func take() {
        var value: eventfd_t = 0
        while eventfd_read(descriptor, &value) != 0, errno == EINTR {}
    }
}
