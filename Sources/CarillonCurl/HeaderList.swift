internal import CCurl
internal import CarillonCore

/// The headers of a request, as libcurl takes them.
enum HeaderList {
    /// What libcurl would add by itself, said not to be sent: a request has the headers that it was given.
    private static let unwanted = ["Accept", "Content-Type", "User-Agent", "Accept-Encoding"]

    static func make(_ request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        // Never wait for a 100 Continue.
        var list = curl_slist_append(nil, "Expect:")
        for name in unwanted where !request.headers.contains(where: { isSame($0.name, name) }) {
            list = append("\(name):", to: list)
        }
        for header in request.headers {
            // A colon with nothing behind it would remove the header; a semicolon sends it empty.
            let isEmpty = header.value.utf8.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            list = append(isEmpty ? "\(header.name);" : "\(header.name): \(header.value)", to: list)
        }
        return list
    }

    /// Whatever the case of the letters; nothing is copied, for this is asked some thirty times a request.
    private static func isSame(_ name: String, _ unwanted: String) -> Bool {
        name.utf8.count == unwanted.utf8.count && zip(name.utf8, unwanted.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    /// The list with one more; without memory for it, the list as it was.
    private static func append(
        _ line: String,
        to list: UnsafeMutablePointer<curl_slist>?
    ) -> UnsafeMutablePointer<curl_slist>? {
        curl_slist_append(list, line) ?? list
    }
}
