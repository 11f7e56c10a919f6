internal import CLinux
internal import CarillonCore
internal import Glibc

/// Wakes a sleeping thread: by a signal from another thread, at an instant of CLOCK_BOOTTIME, at a step of CLOCK_REALTIME, or after
/// a timeout. One thread waits; any thread may signal.
struct WakeSources: ~Copyable, Sendable {
    /// The time of a timer that never fires in practice; it only reports steps of the clock.
    private static let farFutureSeconds = 253_402_300_799

    private let epoll: Int32
    /// Wakes the waiting thread, or prevents its next wait.
    let wake = WakeSignal()
    private let timer: Int32
    /// -1 if the kernel does not report clock steps.
    private let stepWatch: Int32

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        precondition(
            epoll >= 0 && timer >= 0,
            "no free file descriptor for an event loop (errno \(errno)); raise the limit with ulimit -n"
        )
        stepWatch = timerfd_create(CLOCK_REALTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        for descriptor in [wake.descriptor, timer, stepWatch] where descriptor >= 0 {
            var interest = epoll_event()
            interest.events = EPOLLIN.rawValue
            interest.data.fd = descriptor
            epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &interest)
        }
        watchForSteps()
    }

    deinit {
        for descriptor in [stepWatch, timer, epoll] where descriptor >= 0 { close(descriptor) }
    }

    /// Sets the time of the next wake-up; `nil` for none.
    func arm(_ instant: BootTime?) {
        var setting = itimerspec()
        if let instant {
            // All zeroes would disarm the timer, so a past instant is set to the first nanosecond.
            let nanoseconds = max(1, instant.nanoseconds)
            setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
            setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }

    /// Sleeps until a wake-up. `timeoutMs` limits the sleep; -1 means no limit.
    func wait(timeoutMs: Int32) {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: 4) { events in
            let count = epoll_wait(epoll, events.baseAddress, 4, timeoutMs)
            guard count > 0 else { return }
            for event in events[..<Int(count)] {
                let descriptor = event.data.fd
                var value: UInt64 = 0
                let length = read(descriptor, &value, 8)
                if descriptor == stepWatch, length < 0, errno == ECANCELED { watchForSteps() }
            }
        }
    }

    private func watchForSteps() {
        guard stepWatch >= 0 else { return }
        var setting = itimerspec()
        setting.it_value.tv_sec = Self.farFutureSeconds
        timerfd_settime(stepWatch, Int32(TFD_TIMER_ABSTIME) | Int32(TFD_TIMER_CANCEL_ON_SET), &setting, nil)
    }
}
