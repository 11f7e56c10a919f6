internal import Glibc
internal import Synchronization

/// Turns signals into events to wait for: a handler writes their numbers to a pipe.
struct SignalInbox: ~Copyable {
    /// The write end of the pipe. It is set before the first handler is installed, and -1 while there is no inbox.
    private static let writeEnd = Atomic<Int32>(-1)

    private let readEnd: Int32
    private let ownWriteEnd: Int32

    /// - Parameter signals: the signals to catch from now on. Only one inbox can exist at a time.
    init(catching signals: [Int32]) throws(FileProblem) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FileProblem(errno: errno, "cannot create a pipe") }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, fcntl(end, F_GETFL) | O_NONBLOCK)
        }
        (readEnd, ownWriteEnd) = (ends[0], ends[1])
        SignalInbox.writeEnd.store(ownWriteEnd, ordering: .sequentiallyConsistent)
        SignalInbox.install(signals)
    }

    deinit {
        SignalInbox.writeEnd.store(-1, ordering: .sequentiallyConsistent)
        close(readEnd)
        close(ownWriteEnd)
    }

    private static func install(_ signals: [Int32]) {
        for number in signals {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                let end = SignalInbox.writeEnd.load(ordering: .sequentiallyConsistent)
                guard end >= 0 else { return }
                let before = errno
                var byte = UInt8(truncatingIfNeeded: number)
                _ = write(end, &byte, 1)
                errno = before
            }
            action.sa_flags = SA_RESTART
            sigaction(number, &action, nil)
        }
    }

    /// Adds a number as if the signal had arrived.
    static func post(_ number: Int32) {
        let end = writeEnd.load(ordering: .sequentiallyConsistent)
        var byte = UInt8(truncatingIfNeeded: number)
        if end >= 0 { _ = write(end, &byte, 1) }
    }

    /// Waits for signals and returns them as soon as there is one; empty after the timeout.
    func wait(milliseconds: Int64) -> [Int32] {
        var interest = pollfd(fd: readEnd, events: Int16(POLLIN), revents: 0)
        guard poll(&interest, 1, Int32(clamping: max(0, milliseconds))) > 0 else { return [] }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = read(readEnd, &buffer, buffer.count)
        return count > 0 ? buffer[..<count].map { Int32($0) } : []
    }
}
