internal import Glibc

/// The log file of a child, in the log folder.
struct LogFile: Sendable {
    let folder: FolderHandle
    let name: String

    /// The size above which a log is renamed at the child's next start. One older log is kept.
    private static let limit = 32 << 20

    var path: String { "\(folder.path)/\(name)" }

    /// Opens the log for appending by a child.
    func open() throws(FileProblem) -> Int32 {
        if size > LogFile.limit { try folder.rename(name, to: name + ".1") }
        guard let descriptor = try folder.file(name, O_WRONLY | O_CREAT | O_APPEND) else {
            throw FileProblem("\(path) cannot be opened")
        }
        // The file was opened with O_NONBLOCK, which the child must not inherit.
        _ = fcntl(descriptor, F_SETFL, O_APPEND)
        return descriptor
    }

    /// The size in bytes; 0 if there is no log.
    var size: Int {
        guard let descriptor = (try? folder.file(name, O_RDONLY)) ?? nil else { return 0 }
        defer { close(descriptor) }
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    /// - Parameter begin: the number of bytes to skip at the start of the file.
    func lastLines(count: Int, from begin: Int = 0) -> [String] {
        guard let descriptor = (try? folder.file(name, O_RDONLY)) ?? nil else { return [] }
        defer { close(descriptor) }
        let end = lseek(descriptor, 0, Int32(SEEK_END))
        lseek(descriptor, max(off_t(begin), end - 16_384), Int32(SEEK_SET))
        let bytes = (try? FileText.bytes(of: descriptor, name: path)) ?? []
        let lines = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline).map(String.init)
        return lines.suffix(count)
    }

    /// Whether a log line (time, level, program, text) is a warning or an error.
    static func isComplaint(_ line: String) -> Bool {
        let words = line.split(separator: " ", maxSplits: 2)
        return words.count == 3 && (words[1] == "WARNING" || words[1] == "ERROR")
    }
}
