/// Wraps help screens. Examples are not wrapped, because a wrapped example cannot be pasted.
enum HelpText {
    /// The width that the parser gets, larger than any line.
    static let unwrappedColumns = 100_000
    /// The column in which the explanations of options start.
    private static let explanationColumn = 26

    /// Wraps the prose and the option lists of a help screen. Other messages are not changed.
    ///
    /// - Parameter message: a message that the parser formatted with `unwrappedColumns`.
    static func wrapped(_ message: String, to columns: Int) -> String {
        guard message.hasPrefix("OVERVIEW: ") else { return message }
        var isInOverview = true
        var lines: [String] = []
        for line in message.split(separator: "\n", omittingEmptySubsequences: false) {
            if line.hasPrefix("USAGE: ") { isInOverview = false }
            if isInOverview {
                // Examples and tables are indented.
                lines += line.hasPrefix("  ") ? [String(line)] : wrap(line, to: columns, indent: 0)
            } else if line.hasPrefix("USAGE: ") || !line.hasPrefix(" ") || line.hasPrefix("  See '") {
                lines.append(String(line))
            } else {
                lines += wrap(line, to: max(columns, explanationColumn + 20), indent: explanationColumn)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// Wraps a line at single spaces. Several spaces in a row are layout.
    private static func wrap(_ line: Substring, to columns: Int, indent: Int) -> [String] {
        var lines: [String] = []
        var rest = line
        let margin = String(repeating: " ", count: indent)
        while true {
            let lead = lines.isEmpty ? "" : margin
            let room = columns - lead.count
            guard rest.count > room else { return lines + [lead + rest] }
            let first = lines.isEmpty ? rest.dropFirst(indent) : rest
            let chunk = rest.prefix(room + 1)
            let earliest = first.startIndex
            let inside = earliest < chunk.endIndex ? chunk[earliest...].lastIndex(of: " ") : nil
            guard let space = inside ?? first.firstIndex(of: " "), space > earliest else {
                return lines + [lead + rest]
            }
            lines.append(lead + rest[..<space])
            rest = rest[rest.index(after: space)...]
        }
    }
}
