/// Help screens, wrapped so that examples stay as they are: an example that is cut in two cannot be pasted.
enum HelpText {
    /// The width that the parser is given, which is wider than any line.
    static let unwrappedColumns = 100_000
    /// Where the explanations of options begin.
    private static let explanationColumn = 26

    /// Breaks the prose and the lists of options of a help screen. Other messages stay as they are.
    ///
    /// - Parameter message: A message of the parser that was made with `unwrappedColumns`.
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

    /// Breaks at single spaces; spaces in a row are layout.
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
