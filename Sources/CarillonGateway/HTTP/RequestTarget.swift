/// The target of a request line: the path in segments, and the raw query.
struct RequestTarget: Sendable {
    /// Percent-decoded. A slash at the end is ignored.
    var segments: [String]
    var query: Substring

    /// `nil` if the path has an invalid escape or is not UTF-8.
    init?(_ target: String) {
        var rest = target[...]
        // The absolute form, which proxies send.
        if !rest.hasPrefix("/"), let scheme = rest.range(of: "://") {
            rest = rest[scheme.upperBound...]
            rest = rest[(rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex)...]
        }
        if let fragment = rest.utf8.firstIndex(of: UInt8(ascii: "#")) { rest = rest[..<fragment] }
        var path = rest
        query = ""
        if let mark = rest.utf8.firstIndex(of: UInt8(ascii: "?")) {
            path = rest[..<mark]
            query = rest[rest.utf8.index(after: mark)...]
        }
        if path.utf8.first == UInt8(ascii: "/") { path = path.dropFirst() }
        if path.utf8.last == UInt8(ascii: "/") { path = path.dropLast() }
        segments = []
        guard !path.isEmpty else { return }
        for segment in path.split(separator: "/", omittingEmptySubsequences: false) {
            guard let text = PercentCoding.decode(segment, plusIsSpace: false) else { return nil }
            segments.append(text)
        }
    }
}

extension Substring {
    /// The first occurrence of `text`.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
