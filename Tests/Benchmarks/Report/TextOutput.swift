import Glibc

/// Writes text files.
enum TextOutput {
    static func write(_ text: String, to path: String) throws {
        guard let file = fopen(path, "w") else { throw Bench.Failure(description: "\(path) cannot be written") }
        defer { fclose(file) }
        fputs(text, file)
    }
}

/// Prints a line without buffering, also into a pipe.
func show(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    _ = write(STDOUT_FILENO, bytes, bytes.count)
}
