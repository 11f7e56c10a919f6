internal import CCurl
internal import CarillonCore

/// The headers of a request, as libcurl takes them.
enum HeaderList {
    /// What libcurl would add by itself, and how it is told not to: a request has the headers that it was given.
    private static let unwanted = [
        ("Accept", "Accept:"), ("Content-Type", "Content-Type:"), ("User-Agent", "User-Agent:"),
        ("Accept-Encoding", "Accept-Encoding:"),
    ]

    static func make(_ request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        // Never wait for a 100 Continue.
        var list = curl_slist_append(nil, "Expect:")
        for (name, line) in unwanted where !request.headers.contains(where: { isSame($0.name, name) }) {
            list = curl_slist_append(list, line) ?? list
        }
        for header in request.headers {
            // A colon with nothing behind it would remove the header; a semicolon sends it empty.
            let isEmpty = header.value.utf8.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            list = isEmpty ? append(header.name, ";", "", to: list) : append(header.name, ": ", header.value, to: list)
        }
        return list
    }

    /// Whatever the case of the letters; nothing is copied, for this is asked some thirty times a request.
    private static func isSame(_ name: String, _ unwanted: String) -> Bool {
        name.utf8.count == unwanted.utf8.count && zip(name.utf8, unwanted.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    /// The list with one more; without memory for it, the list as it was. The line is put together where libcurl can copy it
    /// from, without a string of its own.
    private static func append(
        _ name: String,
        _ separator: StaticString,
        _ value: String,
        to list: UnsafeMutablePointer<curl_slist>?
    ) -> UnsafeMutablePointer<curl_slist>? {
        let count = name.utf8.count + separator.utf8CodeUnitCount + value.utf8.count
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: count + 1) { line in
            var end = 0
            func put(_ bytes: some Sequence<UInt8>) {
                for byte in bytes {
                    line.initializeElement(at: end, to: CChar(bitPattern: byte))
                    end += 1
                }
            }
            put(name.utf8)
            put(UnsafeBufferPointer(start: separator.utf8Start, count: separator.utf8CodeUnitCount))
            put(value.utf8)
            line.initializeElement(at: end, to: 0)
            return curl_slist_append(list, line.baseAddress) ?? list
        }
    }
}
