/// Splits an input that may never end into lines. Each portion of bytes returns the lines that it completes.
struct InputLines {
    private let read: () throws(FileProblem) -> [UInt8]?
    /// The start of a line whose end has not been read yet.
    private var pending: [UInt8] = []
    private var isOver = false

    /// The number of bytes of a line that are kept.
    static let longestLine = 65_536

    /// - Parameter read: returns the next bytes, at least one; `nil` at the end.
    init(read: @escaping () throws(FileProblem) -> [UInt8]?) {
        self.read = read
    }

    /// Returns at least one line, without its line break; `nil` at the end. The last line may lack a line break.
    mutating func next() throws(FileProblem) -> [[UInt8]]? {
        while !isOver {
            guard let part = try read() else {
                isOver = true
                return pending.isEmpty ? nil : [line(pending[...])]
            }
            var lines: [[UInt8]] = []
            var start = part.startIndex
            while let end = part[start...].firstIndex(of: UInt8(ascii: "\n")) {
                keep(part[start..<end])
                lines.append(line(pending[...]))
                pending.removeAll(keepingCapacity: true)
                start = end + 1
            }
            keep(part[start...])
            if !lines.isEmpty { return lines }
        }
        return nil
    }

    private mutating func keep(_ bytes: ArraySlice<UInt8>) {
        pending += bytes.prefix(InputLines.longestLine - pending.count)
    }

    /// Lines may also end in CR LF.
    private func line(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes)
    }
}
