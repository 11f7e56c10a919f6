/// A bar chart as SVG.
struct Bars {
    var title: String
    var bars: [(name: String, value: Double)]

    var text: String {
        let most = bars.map(\.value).max() ?? 1
        var svg = """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 \(60 + bars.count * 34)" font-family="sans-serif" \
            font-size="12" fill="#374151">
            <rect width="660" height="\(60 + bars.count * 34)" fill="white"/>
            <text x="330" y="22" text-anchor="middle" font-size="15">\(title)</text>

            """
        for (index, bar) in bars.enumerated() {
            let (top, width) = (44 + index * 34, max(1, bar.value / max(most, 1e-9) * 330))
            svg += "<text x=\"230\" y=\"\(top + 15)\" text-anchor=\"end\">\(bar.name)</text>"
            svg += "<rect x=\"240\" y=\"\(top)\" width=\"\(width.short)\" height=\"22\" fill=\"#2563eb\"/>"
            svg += "<text x=\"\((246 + width).short)\" y=\"\(top + 15)\">\(bar.value.short)</text>\n"
        }
        return svg + "</svg>\n"
    }
}
