import Hummingbird
import Logging

/// A Hummingbird server that responds with a small JSON object.
enum HelloServer {
    struct Greeting: ResponseEncodable {
        var message: String
    }

    /// Serves until its task is cancelled.
    static func serve(port: Int) async throws {
        let router = Router()
        router.get("/hello") { _, _ in Greeting(message: "hello") }
        let application = Application(
            router: router,
            configuration: .init(address: .hostname("127.0.0.1", port: port)),
            logger: Logger(label: "hello") { _ in SwiftLogNoOpLogHandler() }
        )
        try await application.runService(gracefulShutdownSignals: [])
    }
}
