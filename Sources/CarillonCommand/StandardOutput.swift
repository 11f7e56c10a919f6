internal import Glibc

/// The reason why standard output could not be written.
package enum OutputProblem: Error, Sendable, Hashable {
    /// The reader has closed the pipe, as `| head` does. This is not a failure.
    case closed
    /// The system's error text, such as "No space left on device".
    case failed(String)
}

/// Unbuffered writes: output is written before the process can end.
enum StandardOutput {
    /// Occupies the descriptors of closed standard streams, so that no socket or file gets one of them and receives
    /// output. Writing to a closed standard output then fails.
    static func reserveDescriptors() {
        for (descriptor, mode) in [(STDIN_FILENO, O_RDONLY), (STDOUT_FILENO, O_RDONLY), (STDERR_FILENO, O_WRONLY)]
        where fcntl(descriptor, F_GETFD) < 0 && errno == EBADF {
            _ = open("/dev/null", mode)
        }
    }

    /// Writes all of the text, or throws.
    static func write(_ text: String, to descriptor: Int32) throws(OutputProblem) {
        var text = text
        let code = text.withUTF8 { bytes -> Int32 in
            var rest = UnsafeRawBufferPointer(bytes)
            while !rest.isEmpty {
                let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
                if count > 0 {
                    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
                } else if count < 0, errno == EAGAIN {
                    var wait = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&wait, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return count == 0 ? EIO : errno
                }
            }
            return 0
        }
        if code != 0 { throw code == EPIPE ? .closed : .failed(String(cString: strerror(code))) }
    }

    /// Closes standard output. Some file systems report a failed write only on close.
    static func close() throws(OutputProblem) {
        // Standard output may be closed from the start if the command prints nothing.
        guard Glibc.close(STDOUT_FILENO) != 0, errno != EBADF, errno != EINTR else { return }
        throw .failed(String(cString: strerror(errno)))
    }

    /// The columns of the terminal on standard output; `nil` if it is not a terminal.
    static func terminalWidth() -> Int? {
        guard isatty(STDOUT_FILENO) == 1 else { return nil }
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }
}
