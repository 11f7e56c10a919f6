internal import CarillonJSON
internal import HTTPTypes
internal import HummingbirdCore
internal import NIOCore

internal import struct HummingbirdCore.Request

/// Reads the body of a request up to the allowed size.
enum Body {
    static let limit = 1_048_576

    /// Returns the members of the body's JSON object; `nil` if there is no body.
    /// - Throws: `Problem`, or an error of the connection.
    static func read(_ request: Request) async throws -> [JSONValue.Member]? {
        if let length = request.headers[.contentLength].flatMap(Int.init), length > limit { throw tooLarge }
        var bytes: ByteBuffer?
        for try await part in request.body {
            if bytes == nil { bytes = part } else { bytes?.writeImmutableBuffer(part) }
            if let count = bytes?.readableBytes, count > limit { throw tooLarge }
        }
        guard let bytes, bytes.readableBytes > 0 else {
            if request.method == .post { try checkEmpty(request) }
            return nil
        }
        try checkType(request)
        let value: JSONValue
        do throws(JSONText.Problem) {
            value = try JSONText.read(Array(bytes.readableBytesView))
        } catch {
            throw Problem(.badRequest, "INVALID_ARGUMENT", "the body is not JSON: \(error)")
        }
        guard case .object(let members) = value else {
            throw Problem(.badRequest, "INVALID_ARGUMENT", "the body is \(value.kindInWords); it must be a JSON object")
        }
        return members
    }

    /// Checks the headers of a request whose body is not read.
    static func checkUnread(_ request: Request) throws(Problem) {
        let isThere = (request.headers[.contentLength] ?? "0") != "0" || request.headers[.transferEncoding] != nil
        if isThere { try checkType(request) }
    }

    /// The content types that a web page can send to another origin without a preflight request (Fetch, section 2.2.2).
    private static let formTypes: Set<String> = [
        "application/x-www-form-urlencoded", "multipart/form-data", "text/plain",
    ]

    /// Rejects the content types of HTML forms: a form without fields is a POST without a body. Programs that send no
    /// body send no content type or JSON's.
    private static func checkEmpty(_ request: Request) throws(Problem) {
        guard let given = request.headers[.contentType], let type = parts(of: given).first, formTypes.contains(type)
        else {
            return
        }
        throw unsupported(
            "the request has no body and the Content-Type \(given.prefix(60)), which an HTML form sends; leave the header out"
        )
    }

    /// The rest of a body that is too large is not read; the connection is closed after the response.
    private static var tooLarge: Problem {
        Problem(
            .contentTooLarge,
            "PAYLOAD_TOO_LARGE",
            "the body is larger than 1 MiB (\(limit) bytes)",
            headers: [.connection: "close"]
        )
    }

    private static func checkType(_ request: Request) throws(Problem) {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            throw unsupported("the body has the Content-Encoding \(coding.prefix(60)); send it uncompressed")
        }
        // Web pages can send a body without a content type, or with the content type of a form, to any origin.
        guard let given = request.headers[.contentType], !given.isEmpty else {
            throw unsupported("the body has no Content-Type; it must be application/json, in curl: \(option)")
        }
        let parts = parts(of: given)
        let isJSON = parts.first == "application/json"
        guard isJSON || (request.method == .patch && parts.first == "application/merge-patch+json") else {
            throw unsupported(
                "the body has the Content-Type \(given.prefix(60)); it must be application/json, in curl: \(option)"
            )
        }
        for part in parts.dropFirst() where part.hasPrefix("charset=") && part != "charset=utf-8" {
            throw unsupported("the Content-Type has the parameter \(part.prefix(60)); JSON must be UTF-8")
        }
    }

    private static let option = "-H 'Content-Type: application/json'"

    /// The media type and its parameters.
    private static func parts(of given: String) -> [String] {
        given.lowercased().split(separator: ";", omittingEmptySubsequences: false).map { part in
            part.filter { $0 != " " && $0 != "\t" && $0 != "\"" }
        }
    }

    private static func unsupported(_ detail: String) -> Problem {
        Problem(.unsupportedMediaType, "UNSUPPORTED_MEDIA_TYPE", detail, headers: [.accept: "application/json"])
    }
}
