/// One header field of a request, in the order in which it is sent.
package struct HTTPHeader: Sendable, Hashable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
        self.name = name
        self.value = value
    }
}

/// The HTTP request that a job makes.
package struct HTTPCall: Sendable, Hashable {
    package var url: String
    package var method: String
    package var headers: [HTTPHeader]
    /// `nil`: Carillon's default JSON body, for methods that have a body.
    package var body: String?

    package init(url: String, method: String = "POST", headers: [HTTPHeader] = [], body: String? = nil) {
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
    }
}
