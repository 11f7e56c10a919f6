import Glibc

/// An axis of a chart.
struct Axis {
    var label: String
    var isLogarithmic = false

    func place(_ value: Double) -> Double { isLogarithmic ? log10(value) : value }

    /// The positions of the marks between two values.
    func marks(_ least: Double, _ most: Double) -> [Double] {
        if isLogarithmic {
            return (Int(floor(log10(least)))...Int(ceil(log10(most)))).map { pow(10, Double($0)) }
        }
        // A linear axis starts at zero.
        let rough = max(most, 1e-9) / 5
        let magnitude = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough } ?? rough
        return (0...Int(ceil(most / step))).map { Double($0) * step }
    }
}

/// A line chart as SVG.
struct Chart {
    var title: String
    var x: Axis
    var y: Axis
    var lines: [(name: String, points: [(x: Double, y: Double)])] = []

    private static let colours = ["#2563eb", "#dc2626", "#16a34a", "#9333ea"]
    private static let (left, top, width, height) = (70.0, 52.0, 560.0, 288.0)

    init(title: String, x: Axis, y: Axis) {
        self.title = title
        self.x = x
        self.y = y
    }

    var text: String {
        let points = lines.flatMap(\.points)
        let xMarks = x.marks(points.map(\.x).min() ?? 1, points.map(\.x).max() ?? 10)
        let heights = points.map(\.y).filter { $0 > 0 || !y.isLogarithmic }
        let yMarks = y.marks(heights.min() ?? 1, heights.max() ?? 10)
        func across(_ value: Double) -> Double {
            let (least, most) = (x.place(xMarks[0]), x.place(xMarks[xMarks.count - 1]))
            return Self.left + (x.place(value) - least) / max(most - least, 1e-9) * Self.width
        }
        func down(_ value: Double) -> Double {
            let (least, most) = (y.place(yMarks[0]), y.place(yMarks[yMarks.count - 1]))
            let part = (y.place(max(value, yMarks[0])) - least) / max(most - least, 1e-9)
            return Self.top + Self.height - part * Self.height
        }
        let (right, bottom) = (Self.left + Self.width, Self.top + Self.height)
        var svg = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 400" font-family="sans-serif" font-size="12" fill="#374151">
            <rect width="660" height="400" fill="white"/>
            <text x="330" y="22" text-anchor="middle" font-size="15">\(title)</text>
            <text x="\((Self.left + right) / 2)" y="386" text-anchor="middle">\(x.label)</text>
            <text x="16" y="190" text-anchor="middle" transform="rotate(-90 16 190)">\(y.label)</text>

            """
        for mark in xMarks {
            let place = across(mark).short
            svg += "<path d=\"M\(place) \(Self.top)V\(bottom)\" stroke=\"#e5e7eb\"/>"
            svg += "<text x=\"\(place)\" y=\"\(bottom + 18)\" text-anchor=\"middle\">\(label(mark))</text>\n"
        }
        for mark in yMarks {
            let place = down(mark).short
            svg += "<path d=\"M\(Self.left) \(place)H\(right)\" stroke=\"#e5e7eb\"/>"
            svg += "<text x=\"\(Self.left - 6)\" y=\"\(place)\" dy=\"4\" text-anchor=\"end\">\(label(mark))</text>\n"
        }
        for (index, line) in lines.enumerated() {
            let colour = Self.colours[index % Self.colours.count]
            let path = line.points.map { "\(across($0.x).short),\(down($0.y).short)" }.joined(separator: " ")
            svg += "<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"
            // The legend is placed above the lines.
            let place = (Self.left + (Double(index) + 0.5) * Self.width / Double(lines.count)).short
            svg += "<text x=\"\(place)\" y=\"40\" text-anchor=\"middle\" fill=\"\(colour)\">\(line.name)</text>\n"
        }
        return svg + "</svg>\n"
    }

    private func label(_ value: Double) -> String { value >= 1 || value == 0 ? "\(Int(value))" : "\(value)" }
}
