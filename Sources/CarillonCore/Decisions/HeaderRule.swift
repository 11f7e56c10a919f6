/// The rules for a job's headers (RFC 9110, section 5). Fields that HTTP or Carillon sets are not allowed.
package enum HeaderRule {
    package static let maxCount = 64
    package static let maxBytes = 32_768

    private static let reserved: Set<String> = [
        "host", "content-length", "transfer-encoding", "connection", "idempotency-key", "expect", "upgrade", "te",
        "trailer", "keep-alive", "proxy-connection",
    ]
    private static let methods: Set<String> = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    /// The problem with the method; `nil` if it is valid.
    package static func problem(withMethod method: String) -> String? {
        methods.contains(method)
            ? nil : "is '\(method)'; allowed are GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS, in capitals"
    }

    /// The problems with the headers; empty if they are valid.
    package static func problems(with headers: [HTTPHeader]) -> [FieldError] {
        var problems: [FieldError] = []
        if headers.count > maxCount {
            problems.append(
                FieldError(field: "headers", message: "are \(headers.count); at most \(maxCount) are allowed")
            )
        }
        let bytes = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        if bytes > maxBytes {
            problems.append(
                FieldError(field: "headers", message: "have \(bytes) bytes; at most \(maxBytes) are allowed")
            )
        }
        var names: Set<String> = []
        // Headers beyond the limit are not checked individually.
        for header in headers.prefix(maxCount) {
            if let problem = problem(with: header) {
                problems.append(FieldError(field: "headers.\(header.name)", message: problem))
            } else if !names.insert(header.name.lowercased()).inserted {
                problems.append(FieldError(field: "headers.\(header.name)", message: "is given twice"))
            }
        }
        return problems
    }

    private static func problem(with header: HTTPHeader) -> String? {
        let isToken =
            !header.name.isEmpty
            && header.name.utf8.allSatisfy { byte in
                (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
                    || (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")) || "!#$%&'*+-.^_`|~".utf8.contains(byte)
            }
        guard isToken else {
            return "is not a header name: letters, digits and !#$%&'*+-.^_`|~ are allowed (RFC 9110, section 5.1)"
        }
        let name = header.name.lowercased()
        if reserved.contains(name) || name.hasPrefix("x-carillon-") {
            return "is set by HTTP or by Carillon and must not be given"
        }
        if let index = Array(header.value.utf8).firstIndex(where: { ($0 < 0x20 && $0 != 0x09) || $0 >= 0x7F }) {
            return
                "has a line break, a control character or a non-ASCII character at position \(index + 1) of its value; a header must not contain these"
        }
        return nil
    }
}
