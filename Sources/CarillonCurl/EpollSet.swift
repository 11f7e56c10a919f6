internal import CLinux
internal import Glibc

/// The descriptors that a loop waits for. One thread uses it.
struct EpollSet: ~Copyable {
    private let descriptor: Int32
    private let capacity = 256
    private let ready: UnsafeMutablePointer<epoll_event>

    init() {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        precondition(
            descriptor >= 0,
            "no file descriptor is left for an event loop (errno \(errno)); raise the limit with ulimit -n"
        )
        ready = .allocate(capacity: capacity)
    }

    deinit {
        close(descriptor)
        ready.deallocate()
    }

    /// Watches a descriptor, or changes what is watched. libcurl may close a socket before it says so, and the kernel then
    /// forgets it by itself: what is known here and what the kernel knows can differ.
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

    /// Sleeps until something is ready or the time is over (-1: never), and calls the body for each descriptor.
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
