internal import CLinux
internal import CarillonCore
internal import Glibc

/// What a sleeping thread can be woken by: a signal of another thread, an instant of CLOCK_BOOTTIME, a step of
/// CLOCK_REALTIME, or the end of its patience. One thread waits; any may signal.
struct WakeSources: ~Copyable, Sendable {
    /// A timer that never fires in practice: it is armed only to be cancelled by a step of the clock.
    private static let farFutureSeconds = 253_402_300_799

    private let epoll: Int32
    /// Wakes the waiting thread, or keeps it from falling asleep.
    let wake = WakeSignal()
    private let timer: Int32
    /// -1 where the kernel does not tell of steps.
    private let stepWatch: Int32

    init() {
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        timer = timerfd_create(CLOCK_BOOTTIME, Int32(TFD_CLOEXEC) | Int32(TFD_NONBLOCK))
        precondition(
            epoll >= 0 && timer >= 0,
            "no file descriptor is left for an event loop (errno \(errno)); raise the limit with ulimit -n"
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

    /// Sets the instant to wake at; `nil` for none.
    func arm(_ instant: BootTime?) {
        var setting = itimerspec()
        if let instant {
            // All zeroes would disarm the timer: an instant of the past is written as the first nanosecond.
            let nanoseconds = max(1, instant.nanoseconds)
            setting.it_value.tv_sec = Int(nanoseconds / 1_000_000_000)
            setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        }
        timerfd_settime(timer, Int32(TFD_TIMER_ABSTIME), &setting, nil)
    }

    /// Sleeps until something wakes it. `timeoutMs` bounds the sleep; -1 does not.
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
