internal import Glibc

/// Wakes a thread that waits in poll(2) or read(2): a pipe, of which each sign is a byte.
final class WakeUp: Sendable {
    /// To be polled for reading.
    let descriptor: Int32
    private let writer: Int32

    /// With `counts` every sign is taken by one `take`, which waits for it; otherwise signs add up to one.
    init(counts: Bool = false) {
        var ends: [Int32] = [-1, -1]
        precondition(pipe(&ends) == 0, "no pipe: the limit of open files is too low (errno \(errno)); raise ulimit -n")
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
        if !counts { _ = fcntl(ends[0], F_SETFL, O_NONBLOCK) }
        descriptor = ends[0]
        writer = ends[1]
    }

    deinit {
        close(descriptor)
        close(writer)
    }

    func signal(_ count: Int = 1) {
        // A full pipe is a sign as well.
        _ = [UInt8](repeating: 1, count: count).withUnsafeBytes { write(writer, $0.baseAddress, count) }
    }

    /// Takes all signs there are.
    func clear() {
        withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { bytes in
            while read(descriptor, bytes.baseAddress, 256) == 256 {}
        }
    }

    /// Takes one sign, and waits for it.
    func take() {
        var byte: UInt8 = 0
        while read(descriptor, &byte, 1) < 0, errno == EINTR {}
    }
}
