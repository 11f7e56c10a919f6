internal import CCurl
internal import CarillonCore
internal import CarillonRuntime
internal import Glibc

/// The event loop for libcurl: accepts requests, transfers bytes, delivers results. Runs on one thread, as do libcurl's callbacks.
final class CurlLoop {
    private let inbox: Inbox
    private let deliver: @Sendable ([HTTPResult]) -> Void
    private let options: ConnectionOptions
    private let multi: UnsafeMutableRawPointer
    private let epoll = EpollSet()
    /// The latest time at which libcurl must be called, in nanoseconds of boot time.
    private var deadline: Int64?
    private var running: [DispatchToken: Transfer] = [:]
    /// Idle handles, at most `maxIdle`; further handles are freed.
    private var idle: [Transfer] = []
    private let maxIdle: Int
    private var results: [HTTPResult] = []
    private var pace = DeliveryPace()
    private var http1Targets = HTTP1Targets()
    /// Handles that were added since the last call of libcurl, which starts them at its next call.
    private var unstarted = 0

    /// A large batch is started in steps of this size.
    private static let startStep = 32
    private static let resultsPerDelivery = 256

    init(
        maxCalls: Int,
        options: ConnectionOptions,
        inbox: Inbox,
        deliver: @escaping @Sendable ([HTTPResult]) -> Void
    ) {
        self.inbox = inbox
        self.options = options
        self.deliver = deliver
        maxIdle = max(16, maxCalls)
        guard let multi = curl_multi_init() else { fatalError("no memory for libcurl") }
        self.multi = multi
        let own = Unmanaged.passUnretained(self).toOpaque()
        _ = carillon_multi_set_max_connects(multi, max(16, maxCalls))
        _ = carillon_multi_set_socket_function(
            multi,
            { _, socket, what, context, _ in
                if let context {
                    Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().socketChanged(socket, what)
                }
                return 0
            },
            own
        )
        _ = carillon_multi_set_timer_function(
            multi,
            { _, milliseconds, context in
                if let context {
                    Unmanaged<CurlLoop>.fromOpaque(context).takeUnretainedValue().timerChanged(milliseconds)
                }
                return 0
            },
            own
        )
        epoll.watch(inbox.descriptor, reading: true, writing: false)
    }

    deinit {
        for transfer in running.values { curl_multi_remove_handle(multi, transfer.handle) }
        running = [:]
        idle = []
        curl_multi_cleanup(multi)
    }

    /// Called once for each process, before the first handle is created.
    static func initializeLibrary() {
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
    }

    /// Returns after a stop was requested and all calls have ended.
    func run() {
        while true {
            let content = inbox.take()
            for request in content.requests { start(request) }
            for token in content.cancelled { cancel(token) }
            moveIfDue()
            collect()
            let isOver = content.isStopping && running.isEmpty
            if isOver || pace.isDue(results.count, at: SystemClock.bootTime().nanoseconds) { flush() }
            if isOver { break }
            let isAsleep = inbox.fallAsleep(unlessStopping: running.isEmpty)
            epoll.wait(timeoutMs: isAsleep ? timeoutMs() : 0) { socket, readable, writable, failed in
                if socket == inbox.descriptor {
                    inbox.clearWake()
                } else {
                    var mask: Int32 = 0
                    if readable { mask |= CURL_CSELECT_IN }
                    if writable { mask |= CURL_CSELECT_OUT }
                    if failed { mask |= CURL_CSELECT_ERR }
                    move(socket, mask)
                }
            }
        }
    }

    // MARK: Calls

    private func start(_ request: HTTPRequest) {
        guard running[request.token] == nil else { return }
        guard let transfer = idle.popLast() ?? Transfer(options) else {
            return refuse(request.token, "the worker has no memory for another call")
        }
        let wantsHTTP1 = http1Targets.contains(request.url)
        transfer.begin(request, wantsHTTP1: wantsHTTP1, at: SystemClock.bootTime().nanoseconds)
        let code = curl_multi_add_handle(multi, transfer.handle)
        guard code == CURLM_OK else {
            transfer.end()
            idle.append(transfer)
            return refuse(request.token, "libcurl cannot start the call: \(String(cString: curl_multi_strerror(code)))")
        }
        running[request.token] = transfer
        unstarted += 1
        if unstarted >= Self.startStep { move(CURL_SOCKET_TIMEOUT, 0) }
    }

    /// Reports a call that could not be started.
    private func refuse(_ token: DispatchToken, _ why: String) {
        results.append(
            HTTPResult(
                token: token,
                kind: .notSent,
                startedAt: SystemClock.bootTime(),
                durationMicroseconds: 0,
                errorMessage: why
            )
        )
    }

    private func cancel(_ token: DispatchToken) {
        guard let transfer = running[token] else { return }
        finish(transfer) { $0.cancelledResult(at: $1) }
    }

    private func finish(_ transfer: Transfer, _ result: (Transfer, Int64) -> HTTPResult) {
        results.append(result(transfer, SystemClock.bootTime().nanoseconds))
        if transfer.requiresHTTP1 { http1Targets.insert(transfer.request.url) }
        running[transfer.token] = nil
        curl_multi_remove_handle(multi, transfer.handle)
        transfer.end()
        if idle.count < maxIdle { idle.append(transfer) }
        if results.count >= Self.resultsPerDelivery { flush() }
    }

    private func flush() {
        guard !results.isEmpty else { return }
        pace.delivered(at: SystemClock.bootTime().nanoseconds)
        deliver(results)
        results = []
    }

    // MARK: libcurl

    private func move(_ socket: Int32, _ mask: Int32) {
        if socket == CURL_SOCKET_TIMEOUT { unstarted = 0 }
        var count: Int32 = 0
        curl_multi_socket_action(multi, socket, mask, &count)
    }

    private func moveIfDue() {
        guard let deadline, deadline <= SystemClock.bootTime().nanoseconds else { return }
        // libcurl sets a new deadline if it must be called again; otherwise this deadline is done.
        self.deadline = nil
        move(CURL_SOCKET_TIMEOUT, 0)
    }

    /// Collects finished transfers.
    private func collect() {
        var left: Int32 = 0
        while let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let handle = message.pointee.easy_handle,
                let context = carillon_private(handle)
            else { continue }
            // Read first, because removing the handle invalidates the message.
            let code = message.pointee.data.result
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            if transfer.repeats(after: code, at: SystemClock.bootTime().nanoseconds) {
                curl_multi_remove_handle(multi, transfer.handle)
                // Adding a handle that was just removed fails only without memory. The original failure is reported then.
                if curl_multi_add_handle(multi, transfer.handle) == CURLM_OK { continue }
            }
            finish(transfer) { $0.result(code, at: $1) }
        }
    }

    private func socketChanged(_ socket: Int32, _ what: Int32) {
        switch what {
        case CURL_POLL_REMOVE: epoll.forget(socket)
        default:
            epoll.watch(
                socket,
                reading: what == CURL_POLL_IN || what == CURL_POLL_INOUT,
                writing: what == CURL_POLL_OUT || what == CURL_POLL_INOUT
            )
        }
    }

    private func timerChanged(_ milliseconds: Int) {
        deadline = milliseconds < 0 ? nil : SystemClock.bootTime().nanoseconds + Int64(milliseconds) * 1_000_000
    }

    private func timeoutMs() -> Int32 {
        let delivery = pace.deadline(results.count)
        guard let end = deadline.map({ min($0, delivery ?? $0) }) ?? delivery else { return -1 }
        let left = end - SystemClock.bootTime().nanoseconds
        return left <= 0 ? 0 : Int32(clamping: (left + 999_999) / 1_000_000)
    }
}
