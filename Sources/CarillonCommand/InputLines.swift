/// Lines of an input that may never end: whatever each portion of it completes.
struct InputLines {
    private let read: () throws(FileProblem) -> [UInt8]?
    /// The beginning of a line whose end is still to come.
    private var pending: [UInt8] = []
    private var isOver = false

    /// What is beyond this of a line is not kept.
    static let longestLine = 65_536

    /// - Parameter read: the next bytes, at least one; `nil` at the end.
    init(read: @escaping () throws(FileProblem) -> [UInt8]?) {
        self.read = read
    }

    /// At least one line, without its line break; `nil` at the end. A last line needs no line break.
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

    /// Lines may end in CR LF too.
    private func line(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        Array(bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes)
    }
}
