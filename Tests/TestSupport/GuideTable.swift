/// A table of a guide, which a test compares with the program.
package struct GuideTable: Sendable {
    /// The cells of each row, without the header. Backticks are kept.
    package var rows: [[String]] = []

    /// - Parameters:
    ///   - path: the guide, from the root of the repository.
    ///   - heading: the text of the heading; the first table below it is read.
    package init(_ path: String, under heading: String) {
        // Tests/TestSupport/GuideTable.swift → the root.
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let lines = TextFile.contents(of: "\(root)/\(path)").split(separator: "\n", omittingEmptySubsequences: false)
        let isHeading = { (line: Substring) in
            line.hasPrefix("#") && line.drop { $0 == "#" }.dropFirst() == heading
        }
        guard let start = lines.firstIndex(where: isHeading) else { return }
        let table = lines[start...].drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
        rows = table.dropFirst(2).map(GuideTable.cells)
    }

    /// The cells of one column.
    package func column(_ index: Int) -> [String] { rows.map { $0[index] } }

    private static func cells(of line: Substring) -> [String] {
        let parts = line.replacing("\\|", with: "\u{1}").split(separator: "|", omittingEmptySubsequences: false)
        return parts.dropFirst().dropLast().map { trimmed(String($0.replacing("\u{1}", with: "|"))) }
    }

    private static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }

    /// The words of a cell that are in backticks.
    package static func code(in cell: String) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .compactMap { $0.offset % 2 == 1 ? String($0.element) : nil }
    }
}
