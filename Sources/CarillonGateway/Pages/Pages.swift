internal import CarillonJSON
internal import HTTPTypes
internal import NIOCore

/// The documents that are built once, at the start of the gateway.
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
