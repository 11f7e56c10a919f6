package import HTTPTypes

/// What a server says to bytes that are no request, with status 400.
package struct MalformedRequestAnswer: Sendable {
    package var contentType: String
    package var body: String
    /// Beside those of the type, the length and the connection.
    package var headers: HTTPFields

    package init(contentType: String, body: String, headers: HTTPFields = [:]) {
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }
}
