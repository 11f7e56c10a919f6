import CAllocations
import CCurl
import CLinux
import Glibc

/// Calls with libcurl alone: the same POST repeated on a number of handles, with `curl_multi_socket_action` and epoll,
/// on one thread.
final class BareCalls {
    struct Outcome {
        var calls: Int
        var seconds: Double
        /// The time from the start until the last call was passed to libcurl.
        var lastStart: Double
        var cpu: Double
        /// The number of allocations of this thread.
        var allocations: Int

        var perSecond: Double { Double(calls) / seconds }
    }

    private let multi = curl_multi_init()
    private let epoll = epoll_create1(0)
    private var handles: [UnsafeMutableRawPointer] = []
    private var deadline: Double?

    /// Makes calls for a number of seconds, or a number of calls.
    /// - Parameter isWarm: whether the connections are open before the measurement starts.
    static func run(
        url: String,
        handles: Int = 256,
        seconds: Double = .infinity,
        calls: Int = .max,
        isWarm: Bool = false
    ) -> Outcome {
        let loop = BareCalls(url, handles)
        if isWarm { _ = loop.run(.infinity, handles * 4) }
        return loop.run(seconds, calls)
    }

    private init(_ url: String, _ count: Int) {
        carillon_multi_set_max_connects(multi, count)
        let own = Unmanaged.passUnretained(self).toOpaque()
        carillon_multi_set_socket_function(
            multi,
            { _, socket, what, context, _ in
                if let context {
                    Unmanaged<BareCalls>.fromOpaque(context).takeUnretainedValue().watch(socket, what)
                }
                return 0
            },
            own
        )
        carillon_multi_set_timer_function(
            multi,
            { _, milliseconds, context in
                if let context {
                    let loop = Unmanaged<BareCalls>.fromOpaque(context).takeUnretainedValue()
                    loop.deadline = milliseconds < 0 ? nil : Stopwatch.now + Double(milliseconds) / 1_000
                }
                return 0
            },
            own
        )
        let body = String(repeating: "x", count: 100)
        for _ in 0..<count {
            guard let handle = curl_easy_init() else { continue }
            carillon_set_url(handle, url)
            carillon_set_post_body(handle, body, 100)
            carillon_set_no_signal(handle, 1)
            carillon_set_proxy(handle, "")
            carillon_set_write_function(handle, { _, size, number, _ in size * number }, nil)
            handles.append(handle)
        }
    }

    deinit {
        for handle in handles { curl_easy_cleanup(handle) }
        curl_multi_cleanup(multi)
        close(epoll)
    }

    private func run(_ seconds: Double, _ calls: Int) -> Outcome {
        var events = [epoll_event](repeating: epoll_event(), count: 256)
        var (started, ended, running, left) = (0, 0, Int32(0), Int32(0))
        let (begin, cpu, allocated) = (Stopwatch.now, ProcessFacts.cpu(getpid()), carillon_allocations())
        var lastStart = 0.0
        let end = begin + seconds
        func start(_ handle: UnsafeMutableRawPointer) {
            guard started < calls, Stopwatch.now < end else { return }
            curl_multi_add_handle(multi, handle)
            started += 1
            if started.isMultiple(of: 32), started <= handles.count {
                curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            }
            lastStart = Stopwatch.now - begin
        }
        for handle in handles { start(handle) }
        while ended < started {
            if let deadline, deadline <= Stopwatch.now {
                self.deadline = nil
                curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running)
            }
            while let message = curl_multi_info_read(multi, &left) {
                guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle else { continue }
                curl_multi_remove_handle(multi, handle)
                ended += 1
                start(handle)
            }
            let wait = deadline.map { Int32(max(0, (($0 - Stopwatch.now) * 1_000).rounded(.up))) } ?? 100
            let count = epoll_wait(epoll, &events, 256, wait)
            for event in events.prefix(max(0, Int(count))) {
                var mask: Int32 = 0
                if event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 { mask |= CURL_CSELECT_IN }
                if event.events & EPOLLOUT.rawValue != 0 { mask |= CURL_CSELECT_OUT }
                if event.events & EPOLLERR.rawValue != 0 { mask |= CURL_CSELECT_ERR }
                curl_multi_socket_action(multi, event.data.fd, mask, &running)
            }
        }
        return Outcome(
            calls: ended,
            seconds: Stopwatch.now - begin,
            lastStart: lastStart,
            cpu: ProcessFacts.cpu(getpid()) - cpu,
            allocations: Int(carillon_allocations() - allocated)
        )
    }

    private func watch(_ socket: Int32, _ what: Int32) {
        var interest = epoll_event()
        interest.data.fd = socket
        guard what != CURL_POLL_REMOVE else {
            epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &interest)
            return
        }
        if what != CURL_POLL_OUT { interest.events |= EPOLLIN.rawValue }
        if what != CURL_POLL_IN { interest.events |= EPOLLOUT.rawValue }
        if epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &interest) != 0 {
            epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &interest)
        }
    }
}
