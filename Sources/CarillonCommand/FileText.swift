internal import Glibc

/// The reason why a file operation failed, in one sentence.
package struct FileProblem: Error, Sendable, Hashable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) {
        self.description = description
    }

    /// The error of the system call that has just failed.
    init(errno code: Int32, _ what: String) {
        description = "\(what): \(String(cString: strerror(code)))"
    }
}

/// Reads and writes whole files.
enum FileText {
    /// Larger than any valid request.
    static let limit = 16 << 20

    static func bytes(at path: String) throws(FileProblem) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, "\(path) cannot be read") }
        defer { close(descriptor) }
        return try bytes(of: descriptor, name: path)
    }

    static func bytes(of descriptor: Int32, name: String) throws(FileProblem) -> [UInt8] {
        var content: [UInt8] = []
        while let part = try part(of: descriptor, name: name) {
            content += part
            guard content.count <= limit else { throw FileProblem("\(name) has more than \(limit >> 20) MiB") }
        }
        return content
    }

    /// The available bytes, or the next bytes once some arrive; `nil` at the end.
    static func part(of descriptor: Int32, name: String) throws(FileProblem) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count > 0 { return Array(buffer[..<count]) }
            if count == 0 { return nil }
            guard errno == EINTR else { throw FileProblem(errno: errno, "\(name) cannot be read") }
        }
    }

    /// Writes text to an open file and flushes the file to disk.
    static func write(_ text: String, to descriptor: Int32, name: String) throws(FileProblem) {
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw FileProblem(errno: errno, "\(name) cannot be written")
        }
    }

    /// The first line of a file without surrounding white space; `nil` if the file does not exist or the line is empty.
    static func line(at path: String) -> String? {
        (try? bytes(at: path)).flatMap { firstLine(of: $0) }
    }

    /// The first line without surrounding white space; `nil` if it is empty.
    static func firstLine(of bytes: [UInt8]) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        let line = text.split(whereSeparator: \.isNewline).first.map(TextFormat.trimmed) ?? ""
        return line.isEmpty ? nil : line
    }
}
