internal import Glibc
internal import TestSupport

/// A psql process whose transaction holds locks until it is released.
final class Blocker: Sendable {
    private let process: ChildProgram
    /// The input of psql, which ends when this is closed.
    private let input: Int32
    private let output: String

    /// Returns when the statement has run and its locks are held.
    init(url: String, holding statement: String) throws {
        var template = Array("/tmp/carillon-blocker-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        guard file >= 0 else { throw Unexpected("no file can be made in /tmp") }
        close(file)
        output = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw Unexpected("no pipe can be made") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        input = ends[1]
        defer { close(ends[0]) }
        process = try ChildProgram(
            "/usr/bin/env",
            ["psql", "-X", "-q", "-A", "-t", url],
            output: output,
            input: ends[0]
        )
        let script = "BEGIN;\n\(statement);\n\\echo locked\n"
        _ = script.withCString { write(input, $0, strlen($0)) }
        while !process.text.contains("locked") {
            guard process.isRunning else { throw Unexpected("psql ended: \(process.text)") }
            usleep(2_000)
        }
    }

    deinit {
        unlink(output)
    }

    /// Rolls back and ends psql, unless it has ended already.
    func release() {
        guard process.isRunning else { return }
        close(input)
        process.wait()
    }
}
