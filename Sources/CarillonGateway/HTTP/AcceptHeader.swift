internal import HTTPTypes

/// Content negotiation between HTML and JSON (RFC 9110, section 12.5.1).
enum AcceptHeader {
    /// Returns whether the client asks for text/html by name, as browsers do. A client that accepts `*/*` gets JSON.
    static func prefersHTML(_ headers: HTTPFields) -> Bool {
        var best: (html: Double, json: Double) = (0, 0)
        for range in headers[values: .accept].joined(separator: ",").lowercased().split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
            switch parts.first {
            case "text/html", "application/xhtml+xml": best.html = max(best.html, quality)
            case "application/json": best.json = max(best.json, quality)
            default: break
            }
        }
        return best.html > 0 && best.html >= best.json
    }
}
