package import HTTPTypes

/// The response to an invalid request, with status 400.
package struct MalformedRequestAnswer: Sendable {
    package var contentType: String
    package var body: String
    /// Further headers, beside type, length and connection.
    package var headers: HTTPFields

    package init(contentType: String, body: String, headers: HTTPFields = [:]) {
        self.contentType = contentType
        self.body = body
        self.headers = headers
    }
}
