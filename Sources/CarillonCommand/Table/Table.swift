internal import CarillonWire

/// Rows in aligned columns. Rows may come in portions: what has been seen decides the widths, and a later row that needs
/// more widens its own line alone.
struct Table {
    struct Column: Sendable {
        var title: String
        var isRight = false
        /// Whether it gives way when the terminal is too narrow.
        var shrinks = false
        var value: @Sendable (JSONValue) -> String
        var colour: @Sendable (String) -> Style.Colour? = { _ in nil }
    }

    struct Layout: Sendable {
        var columns: [Column]
        /// Columns that have at least this width, so that lines that come one by one stand under each other.
        var minimums: [Int] = []
    }

    private let layout: Layout
    private let width: Int?
    private let style: Style
    private var widths: [Int]
    private(set) var isEmpty = true

    private static let gap = 2
    private static let narrowest = 8

    /// - Parameter width: of the terminal; `nil`: nothing is cut.
    init(layout: Layout, width: Int?, style: Style) {
        self.layout = layout
        self.width = width
        self.style = style
        widths = layout.columns.enumerated().map { index, column in
            max(Display.width(of: column.title), index < layout.minimums.count ? layout.minimums[index] : 0)
        }
    }

    /// The lines of these rows; before the first ones the titles.
    mutating func lines(of rows: [JSONValue]) -> String {
        guard !rows.isEmpty else { return "" }
        let cells = rows.map { row in layout.columns.map { Display.line($0.value(row)) } }
        for row in cells {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], Display.width(of: cell)) }
        }
        let fitted = fit(widths)
        var text = ""
        if isEmpty {
            isEmpty = false
            text += line(layout.columns.map(\.title), fitted) { _, title in style.paint(title, .bold) }
        }
        for row in cells {
            text += line(row, fitted) { index, cell in style.paint(cell, layout.columns[index].colour(row[index])) }
        }
        return text
    }

    /// Takes columns away from those that may shrink, the widest first, until all fit.
    private func fit(_ widths: [Int]) -> [Int] {
        guard let width else { return widths }
        var fitted = widths
        var excess = widths.reduce(0, +) + Table.gap * (widths.count - 1) - width
        while excess > 0 {
            let candidates = fitted.indices.filter { layout.columns[$0].shrinks && fitted[$0] > Table.narrowest }
            guard let widest = candidates.max(by: { fitted[$0] < fitted[$1] }) else { break }
            fitted[widest] -= 1
            excess -= 1
        }
        return fitted
    }

    private func line(_ cells: [String], _ widths: [Int], paint: (Int, String) -> String) -> String {
        var line = ""
        var pending = 0
        for (index, whole) in cells.enumerated() {
            let cell = layout.columns[index].shrinks ? Display.cut(whole, to: widths[index]) : whole
            let space = max(0, widths[index] - Display.width(of: cell))
            // Spaces wait until something follows them: no line ends in blanks.
            if layout.columns[index].isRight { pending += space }
            if !cell.isEmpty {
                line += String(repeating: " ", count: pending) + paint(index, cell)
                pending = 0
            }
            pending += (layout.columns[index].isRight ? 0 : space) + Table.gap
        }
        return line + "\n"
    }
}

/// Names and values under each other.
struct FactSheet {
    private var facts: [(name: String, value: String, colour: Style.Colour?)] = []

    mutating func add(_ name: String, _ value: String?, colour: Style.Colour? = nil) {
        guard let value, !value.isEmpty else { return }
        facts.append((name, Display.line(value), colour))
    }

    func text(_ style: Style) -> String {
        let width = facts.map { Display.width(of: $0.name) }.max() ?? 0
        return facts.map { fact in
            let space = String(repeating: " ", count: width - Display.width(of: fact.name) + 2)
            return "\(style.paint(fact.name, .bold))\(space)\(style.paint(fact.value, fact.colour))\n"
        }.joined()
    }
}
