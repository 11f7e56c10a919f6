internal import CLinux
internal import Glibc

/// Wakes a thread that waits on a descriptor; an eventfd.
package struct WakeSignal: ~Copyable, Sendable {
    package enum Kind: Sendable {
        /// Signals merge, and `clear` removes them. Reading never blocks.
        case merging
        /// Each signal is consumed by one `take`, which waits for it.
        case counting
    }

    /// The descriptor to watch for reading.
    package let descriptor: Int32

    package init(_ kind: Kind = .merging) {
        switch kind {
        case .merging: descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_NONBLOCK))
        case .counting: descriptor = eventfd(0, Int32(EFD_CLOEXEC) | Int32(EFD_SEMAPHORE))
        }
        precondition(
            descriptor >= 0,
            "no free file descriptor to wake a thread (errno \(errno)); raise the limit with ulimit -n"
        )
    }

    deinit {
        close(descriptor)
    }

    /// Wakes the waiting thread, or prevents its next wait. Can be called on any thread.
    package func signal(_ count: Int = 1) {
        eventfd_write(descriptor, UInt64(count))
    }

    /// Like `signal`, for a signal handler, which may call only functions such as write.
    package static func signal(descriptor: Int32) {
        eventfd_write(descriptor, 1)
    }

    /// Removes all signals in the merging mode.
    package func clear() {
        var value: eventfd_t = 0
        eventfd_read(descriptor, &value)
    }

    /// Waits for a signal in the counting mode, and consumes it.
    package func take() {
        var value: eventfd_t = 0
        while eventfd_read(descriptor, &value) != 0, errno == EINTR {}
    }
}
