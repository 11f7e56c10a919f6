internal import CarillonJSON

/// Rows in aligned columns. Rows may arrive in portions: the first portion determines the columns. A later row that
/// needs more width is printed with a wider line.
///
/// No line is wider than the terminal. If the columns do not fit, times first lose their offset. Then shrinkable
/// columns shrink to their minimum, and then columns are dropped in the order of `Column.drop`.
struct Table {
    struct Column: Sendable {
        var title: String
        var isRight = false
        /// Whether text is truncated if the terminal is too narrow.
        var shrinks = false
        /// The minimum width after truncation, before other columns are dropped.
        var minimum = 8
        /// Columns with the largest number are dropped first; `nil` for never.
        var drop: Int?
        var value: @Sendable (JSONValue) -> String = { _ in "" }
        /// The field of a time, shown instead of `value`, and the text for a missing time.
        var time: String?
        var colour: @Sendable (String) -> Style.Colour? = { _ in nil }

        func text(_ row: JSONValue, _ times: TimeFormat, isCompact: Bool) -> String {
            guard let time, let instant = row[time], instant != .null else { return TerminalText.line(value(row)) }
            return TerminalText.line(isCompact ? times.compact(instant) : times.text(instant))
        }
    }

    struct Layout: Sendable {
        var columns: [Column]
        /// Minimum widths of columns, so that rows that are printed one by one are aligned.
        var minimums: [Int] = []
    }

    private var columns: [Column]
    private let width: Int?
    private let style: Style
    private let times: TimeFormat
    private var widths: [Int]
    /// Whether rows are printed one by one, so that the first row does not determine the widths.
    private let hasMinimums: Bool
    private var isCompact = false
    private(set) var isEmpty = true

    private static let gap = 2

    /// - Parameter width: the width of the terminal; `nil` for no limit.
    init(layout: Layout, width: Int?, style: Style, times: TimeFormat = .utc) {
        columns = layout.columns
        hasMinimums = !layout.minimums.isEmpty
        self.width = width
        self.style = style
        self.times = times
        widths = layout.columns.enumerated().map { index, column in
            max(TerminalText.width(of: column.title), index < layout.minimums.count ? layout.minimums[index] : 0)
        }
    }

    /// The lines of the rows, preceded by the titles for the first rows.
    mutating func lines(of rows: [JSONValue]) -> String {
        guard !rows.isEmpty else { return "" }
        if isEmpty { choose(for: rows) }
        let cells = self.cells(of: rows)
        widen(&widths, for: cells)
        let fitted = fit(widths)
        var text = ""
        if isEmpty {
            isEmpty = false
            text += line(columns.map(\.title), fitted) { _, title in style.paint(title, .bold) }
        }
        for row in cells {
            text += line(row, fitted) { index, cell in style.paint(cell, columns[index].colour(row[index])) }
        }
        return text
    }

    private func cells(of rows: [JSONValue]) -> [[String]] {
        rows.map { row in columns.map { $0.text(row, times, isCompact: isCompact) } }
    }

    private func widen(_ widths: inout [Int], for cells: [[String]]) {
        for row in cells {
            for (index, cell) in row.enumerated() { widths[index] = max(widths[index], TerminalText.width(of: cell)) }
        }
    }

    // MARK: Fitting the terminal

    /// Drops columns until the others fit, if shrinkable columns shrink.
    private mutating func choose(for rows: [JSONValue]) {
        guard let width else { return }
        var natural = widths
        widen(&natural, for: cells(of: rows))
        if Table.sum(natural) <= width { return }
        isCompact = columns.contains { $0.time != nil }
        let cells = self.cells(of: rows)
        natural = widths
        widen(&natural, for: cells)
        if Table.sum(natural) > width, !hasMinimums {
            // An empty column is dropped first.
            for index in columns.indices.reversed()
            where columns[index].drop != nil && cells.allSatisfy({ $0[index].isEmpty }) {
                remove(index, &natural)
            }
        }
        while true {
            let least = natural.indices.map {
                columns[$0].shrinks ? min(natural[$0], columns[$0].minimum) : natural[$0]
            }
            guard Table.sum(least) > width,
                let last = columns.indices.filter({ columns[$0].drop != nil }).max(by: {
                    (columns[$0].drop ?? 0, $0) < (columns[$1].drop ?? 0, $1)
                })
            else { return }
            remove(last, &natural)
        }
    }

    private mutating func remove(_ index: Int, _ natural: inout [Int]) {
        columns.remove(at: index)
        widths.remove(at: index)
        natural.remove(at: index)
    }

    private static func sum(_ widths: [Int]) -> Int {
        widths.reduce(0, +) + gap * (widths.count - 1)
    }

    /// Reduces the shrinkable columns, the widest first. If that is not enough, all columns are reduced, the last
    /// first.
    private func fit(_ widths: [Int]) -> [Int] {
        guard let width else { return widths }
        var fitted = widths
        var excess = Table.sum(widths) - width
        while excess > 0 {
            let candidates = fitted.indices.filter { columns[$0].shrinks && fitted[$0] > columns[$0].minimum }
            guard let widest = candidates.max(by: { fitted[$0] < fitted[$1] }) else { break }
            fitted[widest] -= 1
            excess -= 1
        }
        for index in fitted.indices.reversed() where excess > 0 {
            let taken = min(excess, fitted[index] - 1)
            fitted[index] -= taken
            excess -= taken
        }
        return fitted
    }

    private func line(_ cells: [String], _ widths: [Int], paint: (Int, String) -> String) -> String {
        var line = ""
        var pending = 0
        for (index, whole) in cells.enumerated() {
            let cell = width == nil ? whole : TerminalText.cut(whole, to: widths[index])
            let space = max(0, widths[index] - TerminalText.width(of: cell))
            // Spaces are added only before further text, so that no line ends with spaces.
            if columns[index].isRight { pending += space }
            if !cell.isEmpty {
                line += String(repeating: " ", count: pending) + paint(index, cell)
                pending = 0
            }
            pending += (columns[index].isRight ? 0 : space) + Table.gap
        }
        return line + "\n"
    }
}
