internal import CarillonJSON
internal import HTTPTypes
internal import NIOCore

/// What is made once, at start.
struct Pages: Sendable {
    let openAPI: ByteBuffer
    let docs: ByteBuffer
    let docsHeaders: HTTPFields

    init() {
        let document = OpenAPIDocument.make(RouteTable.all.routes)
        openAPI = ByteBuffer(bytes: JSONText.bytes(of: document, pretty: true))
        docs = ByteBuffer(string: DocsPage(document: document).render())
        docsHeaders = DocsPage.headers
    }
}
