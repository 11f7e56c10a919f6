import CarillonRuntime
import Glibc
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1)))
struct NativeThreadTests {
    private final class Seen: Sendable {
        let name = Mutex("")
        let thread = Mutex<NativeThread?>(nil)
    }

    @Test func aThreadRunsIsNamedAndIsJoined() {
        let seen = Seen()
        let thread = NativeThread.start(name: "a-long-name-of-a-thread") {
            let name = nameOfThisThread()
            seen.name.withLock { $0 = name }
            seen.thread.withLock { $0 = .current }
        }
        thread.join()
        #expect(seen.name.withLock { $0 } == "a-long-name-of-\n")
        #expect(seen.thread.withLock { $0 } == thread)
    }

    @Test func signalsOfTheMergingKindAddUpToOne() {
        let wake = WakeSignal()
        wake.signal()
        wake.signal(3)
        #expect(isReadable(wake.descriptor))
        wake.clear()
        #expect(!isReadable(wake.descriptor))
        wake.clear()
    }

    @Test func signalsOfTheCountingKindAreTakenOneByOne() {
        let wake = WakeSignal(.counting)
        wake.signal(2)
        WakeSignal.signal(descriptor: wake.descriptor)
        for _ in 0..<3 { wake.take() }
        #expect(!isReadable(wake.descriptor))
    }

    @Test func aThreadThatWaitsIsWoken() {
        final class Shared: Sendable {
            let wake = WakeSignal(.counting)
            let taken = Atomic(0)
        }
        let shared = Shared()
        let thread = NativeThread.start(name: "waits") {
            for _ in 0..<100 {
                shared.wake.take()
                shared.taken.add(1, ordering: .relaxed)
            }
        }
        for _ in 0..<50 { shared.wake.signal(2) }
        thread.join()
        #expect(shared.taken.load(ordering: .relaxed) == 100)
    }

    private func isReadable(_ descriptor: Int32) -> Bool {
        var interest = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&interest, 1, 0) == 1
    }
}

/// The thread's name from the kernel, with a line feed.
private func nameOfThisThread() -> String {
    let file = open("/proc/thread-self/comm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    var buffer = [UInt8](repeating: 0, count: 32)
    let count = read(file, &buffer, buffer.count)
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
}
