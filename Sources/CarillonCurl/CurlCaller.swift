package import CarillonCore
internal import Synchronization

/// The HTTP client of a worker: libcurl, one multi handle and one epoll loop on a thread of its own.
///
/// Requests are handed over in batches, and results come back in batches, on that thread. Connections and resolved names
/// are kept and used again.
package final class CurlCaller: HTTPCaller {
    private let inbox: Inbox
    private let thread: Mutex<LoopThread?>

    /// - Parameters:
    ///   - maxCalls: calls that run at a time, as far as is known: so many idle connections are kept.
    ///   - deliver: gets the results, on the client's thread, and may not wait.
    package init(maxCalls: Int, deliver: @escaping @Sendable ([HTTPResult]) -> Void) {
        CurlCaller.initializeLibrary()
        let inbox = Inbox()
        self.inbox = inbox
        thread = Mutex(
            LoopThread.start(name: "http-calls") {
                let loop = CurlLoop(maxCalls: maxCalls, inbox: inbox, deliver: deliver)
                loop.run()
            }
        )
    }

    package func start(_ requests: [HTTPRequest]) {
        guard !requests.isEmpty else { return }
        inbox.post { $0.requests.append(contentsOf: requests) }
    }

    package func cancel(_ tokens: [Token]) {
        guard !tokens.isEmpty else { return }
        inbox.post { $0.cancelled.append(contentsOf: tokens) }
    }

    /// Returns when the calls that run have ended and their results are delivered. What is started later is dropped.
    package func shutdown() {
        inbox.post { $0.isStopping = true }
        let running = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        running?.join()
    }

    private static let library: Void = CurlLoop.initializeLibrary()

    private static func initializeLibrary() {
        _ = library
    }
}
