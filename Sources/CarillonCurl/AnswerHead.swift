internal import CCurl

/// The headers of a response, which libcurl holds until the next request of the handle.
struct AnswerHead {
    let handle: UnsafeMutableRawPointer

    /// The first header with this name.
    func value(_ name: String) -> String? { find(name, 0)?.text }

    /// All headers with this name, in order.
    func values(_ name: String) -> [String] {
        guard let first = find(name, 0) else { return [] }
        return [first.text] + (1..<max(1, first.count)).compactMap { find(name, $0)?.text }
    }

    private func find(_ name: String, _ index: Int) -> (text: String, count: Int)? {
        var found: UnsafeMutablePointer<curl_header>?
        guard curl_easy_header(handle, name, index, UInt32(CURLH_HEADER), -1, &found) == CURLHE_OK, let found else {
            return nil
        }
        return (String(cString: found.pointee.value), found.pointee.amount)
    }

    var contentCodings: [Substring] { values("Content-Encoding").flatMap(ResponseText.codings) }

    /// Why the length of the content is unknown (RFC 9112, section 6.3). libcurl uses the last of several lengths.
    var lengthProblem: String? {
        guard let first = find("Content-Length", 0), find("Transfer-Encoding", 0) == nil else { return nil }
        // The usual case: one header, one number.
        if first.count == 1, isLength(first.text[...]) { return nil }
        let all = values("Content-Length").flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }
        let lengths = all.map { $0.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " && $0 != "\t" } }
        guard lengths.allSatisfy(isLength) else { return "its Content-Length is not a length" }
        guard Set(lengths.map { Int($0) }).count == 1 else { return "it has different values of Content-Length" }
        return nil
    }

    /// The value of Content-Length, unless Transfer-Encoding takes precedence.
    var length: Int? {
        guard let first = find("Content-Length", 0), find("Transfer-Encoding", 0) == nil else { return nil }
        return Int(first.text)
    }

    private func isLength(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 } && Int(text) != nil
    }
}
