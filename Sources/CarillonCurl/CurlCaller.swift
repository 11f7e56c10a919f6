package import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// The worker's HTTP client: libcurl with several multi handles, each on a separate thread with an epoll loop.
///
/// Requests and results are passed in batches. Connections and resolved names are reused. The first loop can do thousands of calls
/// a second, so it gets all small batches and keeps the connections. Only large batches are distributed: starting a call costs as
/// much as the call, and a single loop would start the last ones late.
package final class CurlCaller: HTTPCaller {
    private let inboxes: [Inbox]
    private let threads: Mutex<[NativeThread]>

    /// Another loop is used only if each loop gets this many requests of a batch.
    private static let herd = 64

    /// - Parameters:
    ///   - maxCalls: the expected number of concurrent calls. Each loop keeps this many connections; with fewer, large batches would
    ///     close and open connections repeatedly.
    ///   - loops: the limit of threads.
    ///   - maxConnectionAgeSeconds: the age above which connections are not reused.
    ///   - authorities: a PEM file of trusted certificate authorities, instead of the system's.
    ///   - deliver: receives the results, on the client's threads; must not block.
    package init(
        maxCalls: Int,
        loops: Int = 1,
        maxConnectionAgeSeconds: Int = 60,
        authorities: String? = nil,
        deliver: @escaping @Sendable ([HTTPResult]) -> Void
    ) {
        CurlCaller.initializeLibrary()
        let options = ConnectionOptions(maxAgeSeconds: maxConnectionAgeSeconds, authorities: authorities)
        let inboxes = (0..<max(1, loops)).map { _ in Inbox() }
        self.inboxes = inboxes
        threads = Mutex(
            inboxes.map { inbox in
                CallThread.start(name: "http-calls") {
                    let loop = CurlLoop(maxCalls: maxCalls, options: options, inbox: inbox, deliver: deliver)
                    loop.run()
                }
            }
        )
    }

    package func start(_ requests: [HTTPRequest]) {
        guard !requests.isEmpty else { return }
        let parts = max(1, min(inboxes.count, requests.count / CurlCaller.herd))
        guard parts > 1 else { return inboxes[0].post { $0.requests.append(contentsOf: requests) } }
        // Dealt in turn, because the requests at the front are more urgent.
        for (index, inbox) in inboxes.prefix(parts).enumerated() {
            let part = stride(from: index, to: requests.count, by: parts).map { requests[$0] }
            inbox.post { $0.requests.append(contentsOf: part) }
        }
    }

    /// Passed to all loops; only the loop with the call knows its token.
    package func cancel(_ tokens: [DispatchToken]) {
        guard !tokens.isEmpty else { return }
        for inbox in inboxes { inbox.post { $0.cancelled.append(contentsOf: tokens) } }
    }

    /// Returns when the running calls have ended and their results are delivered. Later requests are dropped.
    package func shutdown() {
        for inbox in inboxes { inbox.post { $0.isStopping = true } }
        let running = threads.withLock { threads in
            defer { threads = [] }
            return threads
        }
        for thread in running { thread.join() }
    }

    private static let library: Void = CurlLoop.initializeLibrary()

    private static func initializeLibrary() {
        _ = library
    }
}
