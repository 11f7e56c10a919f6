internal import CarillonCore
internal import CarillonCron
internal import CarillonJSON

/// A request received by `carillon listen`, with its text and JSON forms.
struct ReceivedRequest: Sendable, Hashable {
    /// One header field.
    struct Header: Sendable, Hashable {
        var name: String
        var value: String
    }

    /// The number of body bytes that are kept. Further bytes are only counted.
    static let keptBodyBytes = 4_096

    /// Headers that every HTTP client sends and that are not specific to a job.
    private static let omittedHeaders: Set<String> = [
        "accept", "accept-encoding", "connection", "content-length", "host", "transfer-encoding",
    ]

    var time: Timestamp
    var method: String
    /// The path and the query, unchanged.
    var target: String
    var headers: [Header]
    /// At most `keptBodyBytes` of the body.
    var body: [UInt8]
    /// The length of the complete body.
    var bodyBytes: Int

    /// The kept part of the body; `nil` if it is not UTF-8.
    private var bodyText: String? {
        if let text = String(validating: body, as: UTF8.self) { return text }
        guard bodyBytes > body.count else { return nil }
        // The limit can split a character, which has at most four bytes.
        for dropped in 1...3 where dropped <= body.count {
            if let text = String(validating: body.dropLast(dropped), as: UTF8.self) { return text }
        }
        return nil
    }

    private var shownHeaders: [Header] {
        headers.filter { !ReceivedRequest.omittedHeaders.contains($0.name.lowercased()) }
    }

    /// One line for the request, and one indented line for each header and for the body.
    func text(_ style: Style) -> String {
        var text = style.paint("\(TerminalText.line(method)) \(TerminalText.line(target))", .bold)
        text += "  \(RFC3339.format(milliseconds: time.milliseconds))\n"
        for header in shownHeaders { text += "  \(TerminalText.line("\(header.name): \(header.value)"))\n" }
        guard bodyBytes > 0 else { return text }
        let part = bodyBytes > body.count ? ", the first \(body.count) shown" : ""
        text += "  body (\(bodyBytes) bytes\(part)): \(bodyText.map(TerminalText.line) ?? "not UTF-8 text")\n"
        return text
    }

    /// All headers, including those that `text` omits. Values of headers with the same name are joined with commas.
    var json: JSONValue {
        var members: [JSONValue.Member] = []
        for header in headers {
            let same = members.firstIndex { $0.name.lowercased() == header.name.lowercased() }
            if let same, case .string(let before) = members[same].value {
                members[same].value = .string("\(before), \(header.value)")
            } else {
                members.append(JSONValue.Member(header.name, .string(header.value)))
            }
        }
        return [
            "time": .string(RFC3339.format(milliseconds: time.milliseconds)), "method": .string(method),
            "target": .string(target), "headers": .object(members),
            "body": bodyBytes == 0 ? .null : bodyText.map(JSONValue.string) ?? .null,
            "body_bytes": .integer(Int64(bodyBytes)),
        ]
    }
}
