internal import CLinux
internal import Glibc

/// The descriptors that a loop waits for. Used by one thread.
struct EpollSet: ~Copyable {
    private let descriptor: Int32
    private let capacity = 256
    private let ready: UnsafeMutablePointer<epoll_event>

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(
            descriptor >= 0,
            "no free file descriptor for an event loop (errno \(errno)); raise the limit with ulimit -n"
        )
        ready = .allocate(capacity: capacity)
    }

    deinit {
        close(descriptor)
        ready.deallocate()
    }

    /// Watches a descriptor, or changes the watched events. libcurl may close a socket before it reports that, and the kernel then
    /// removes the descriptor, so this set and the kernel's can differ.
    func watch(_ socket: Int32, reading: Bool, writing: Bool) {
        var interest = epoll_event()
        interest.events = (reading ? EPOLLIN.rawValue : 0) | (writing ? EPOLLOUT.rawValue : 0)
        interest.data.fd = socket
        if epoll_ctl(descriptor, EPOLL_CTL_MOD, socket, &interest) != 0, errno == ENOENT {
            epoll_ctl(descriptor, EPOLL_CTL_ADD, socket, &interest)
        }
    }

    func forget(_ socket: Int32) {
        var interest = epoll_event()
        epoll_ctl(descriptor, EPOLL_CTL_DEL, socket, &interest)
    }

    /// Sleeps until a descriptor is ready or the timeout has passed (-1: no timeout), and calls the body for each ready descriptor.
    func wait(
        timeoutMs: Int32,
        _ body: (_ socket: Int32, _ readable: Bool, _ writable: Bool, _ failed: Bool) -> Void
    ) {
        let count = epoll_wait(descriptor, ready, Int32(capacity), timeoutMs)
        guard count > 0 else { return }
        for index in 0..<Int(count) {
            let events = ready[index].events
            body(
                ready[index].data.fd,
                events & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0,
                events & EPOLLOUT.rawValue != 0,
                events & EPOLLERR.rawValue != 0
            )
        }
    }
}
