internal import CCurl
internal import CarillonCore

/// The headers of a request in libcurl's form.
enum HeaderList {
    /// Headers that libcurl adds by default, with the entries that prevent it: a request has only the job's headers.
    private static let unwanted = [
        ("Accept", "Accept:"), ("Content-Type", "Content-Type:"), ("User-Agent", "User-Agent:"),
        ("Accept-Encoding", "Accept-Encoding:"),
    ]

    static func make(_ request: HTTPRequest) -> UnsafeMutablePointer<curl_slist>? {
        // Do not wait for a 100 Continue.
        var list = curl_slist_append(nil, "Expect:")
        for (name, line) in unwanted where !request.headers.contains(where: { isSame($0.name, name) }) {
            list = curl_slist_append(list, line) ?? list
        }
        for header in request.headers {
            // A name with a colon and no value would remove the header; a semicolon sends it with an empty value.
            let isEmpty = header.value.utf8.allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            list = isEmpty ? append(header.name, ";", "", to: list) : append(header.name, ": ", header.value, to: list)
        }
        return list
    }

    /// Case-insensitive comparison without copies, because it runs about thirty times for each request.
    private static func isSame(_ name: String, _ unwanted: String) -> Bool {
        name.utf8.count == unwanted.utf8.count && zip(name.utf8, unwanted.utf8).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    /// The list with one more header; the unchanged list if there is no memory. The line is assembled on the stack, and libcurl
    /// copies it.
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
