internal import CarillonClient
internal import CarillonCore
internal import CarillonJSON
internal import CarillonRPC
internal import CarillonRuntime
internal import Logging
internal import Synchronization

/// Sends requests over TCP with the RPC protocol.
final class RPCCaller: SchedulerCaller {
    private let client: RPCClient
    private let timeoutMs: Int64?
    private let writeError: @Sendable (String) -> Void

    /// How long a request waits for a scheduler that can execute it. A take-over takes a few seconds.
    private static let takeOverWaitMs: Int64 = 8_000

    /// How long to wait before the reason of the wait is printed. Nothing is printed if the wait then ends soon.
    private let silence: Duration
    private let isTold = Mutex(false)

    /// - Parameters:
    ///   - timeoutMs: for each request; `nil` for the default of the request.
    ///   - silence: how long a wait for a scheduler lasts before the message.
    ///   - writeError: prints the message, at most once.
    init(
        schedulers: [String],
        timeoutMs: Int64?,
        silence: Duration = .seconds(1),
        writeError: @escaping @Sendable (String) -> Void
    ) throws(ClientError) {
        var endpoints: [HostPort] = []
        for scheduler in schedulers { endpoints.append(try HostPort(parsing: scheduler)) }
        var configuration = RPCClient.Configuration(
            schedulers: endpoints,
            name: "carillon",
            version: Carillon.version
        )
        if let timeoutMs {
            configuration.requestTimeout = .milliseconds(timeoutMs)
            configuration.takeOverWait = .milliseconds(min(timeoutMs, RPCCaller.takeOverWaitMs))
        }
        // Nothing is logged: errors of requests contain the reasons.
        client = RPCClient(configuration, logger: Logger(label: "carillon") { _ in SwiftLogNoOpLogHandler() })
        self.timeoutMs = timeoutMs
        self.silence = silence
        self.writeError = writeError
    }

    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue {
        let word = tellOfWaiting()
        defer { word?.cancel() }
        return try await client.call(name, arguments, timeout: timeoutMs.map { .milliseconds($0) })
    }

    func watch(_ arguments: JSONValue) -> AsyncThrowingStream<JSONValue, any Error> {
        // Once there is a connection, the message is not needed.
        _ = tellOfWaiting()
        return client.watch(arguments)
    }

    func ping() async throws(ClientError) -> RoundTrip {
        let word = tellOfWaiting()
        defer { word?.cancel() }
        let answer = try await client.ping()
        let parts = answer.roundTrip.components
        return RoundTrip(
            microseconds: parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000,
            address: answer.address
        )
    }

    /// Prints the reason for the wait, unless the task is cancelled first, the message has been printed, or the timeout
    /// is as close.
    private func tellOfWaiting() -> Task<Void, any Error>? {
        if let timeoutMs, .milliseconds(timeoutMs) < silence * 2 { return nil }
        return Task {
            try await Task.sleep(for: silence)
            guard let reasons = client.reasonsForNoConnection,
                !isTold.withLock({ told in
                    defer { told = true }
                    return told
                })
            else { return }
            writeError("waiting for a scheduler: \(TerminalText.line(reasons))\n")
        }
    }
}
