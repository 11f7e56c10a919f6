package import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// The HTTP client of a worker: libcurl, some multi handles, and an epoll loop on a thread of its own for each.
///
/// Requests are handed over in batches, and results come back in batches, on those threads. Connections and resolved names
/// are kept and used again. The first loop alone can do thousands of calls a second, and has all the connections then; only
/// what comes as a herd is dealt out, since each start costs as much as its call, and one after the other they would be late.
package final class CurlCaller: HTTPCaller {
    private let inboxes: [Inbox]
    private let threads: Mutex<[NativeThread]>

    /// A batch is worth a second loop when each has so many of it. Smaller ones go to the first, however busy it is.
    private static let herd = 64

    /// - Parameters:
    ///   - maxCalls: calls that run at a time, as far as is known: so many connections each loop keeps. With fewer, the waves of a
    ///     herd close and open connections all the time.
    ///   - loops: at most so many threads work.
    ///   - maxConnectionAgeSeconds: older connections are not used for further requests.
    ///   - authorities: a PEM file of the authorities that are trusted instead of the system's.
    ///   - deliver: gets the results, on the client's threads, and may not wait.
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
        // Like cards, since those at the front are more urgent.
        for (index, inbox) in inboxes.prefix(parts).enumerated() {
            let part = stride(from: index, to: requests.count, by: parts).map { requests[$0] }
            inbox.post { $0.requests.append(contentsOf: part) }
        }
    }

    /// Only the loop that has such a call knows its token.
    package func cancel(_ tokens: [DispatchToken]) {
        guard !tokens.isEmpty else { return }
        for inbox in inboxes { inbox.post { $0.cancelled.append(contentsOf: tokens) } }
    }

    /// Returns when the calls that run have ended and their results are delivered. What is started later is dropped.
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
