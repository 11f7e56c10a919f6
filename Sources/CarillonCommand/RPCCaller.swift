internal import CarillonCore
internal import CarillonRPC
internal import CarillonWire
internal import Logging

/// The protocol itself, over TCP.
struct RPCCaller: SchedulerCaller {
    private let client: RPCClient
    private let timeoutMs: Int64?
    private let writeError: @Sendable (String) -> Void

    /// For how long a request waits for a scheduler that can take it: a take-over lasts a few seconds.
    private static let takeOverWaitMs: Int64 = 8_000

    /// People who wait are told what for, after this.
    private static let silence: Duration = .seconds(1)

    /// - Parameters:
    ///   - timeoutMs: for each request; `nil`: what suits the request.
    ///   - writeError: takes what is said while no scheduler can be reached.
    init(
        schedulers: [String],
        timeoutMs: Int64?,
        writeError: @escaping @Sendable (String) -> Void
    ) throws(ClientError) {
        var endpoints: [Endpoint] = []
        for scheduler in schedulers { endpoints.append(try Endpoint(scheduler)) }
        var configuration = RPCClient.Configuration(
            schedulers: endpoints,
            name: "carillon",
            version: Carillon.version
        )
        if let timeoutMs {
            configuration.requestTimeout = .milliseconds(timeoutMs)
            configuration.takeOverWait = .milliseconds(min(timeoutMs, RPCCaller.takeOverWaitMs))
        }
        // What goes wrong is said by the errors of the requests.
        client = RPCClient(configuration, logger: Logger(label: "carillon") { _ in SwiftLogNoOpLogHandler() })
        self.timeoutMs = timeoutMs
        self.writeError = writeError
    }

    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue {
        let word = Task { [client, writeError] in
            try await Task.sleep(for: RPCCaller.silence)
            if let reasons = client.unreachable { writeError("waiting for a scheduler: \(reasons)\n") }
        }
        defer { word.cancel() }
        return try await client.call(name, arguments, timeout: timeoutMs.map { .milliseconds($0) })
    }

    func watch(_ arguments: JSONValue) -> AsyncThrowingStream<JSONValue, any Error> {
        client.watch(arguments)
    }

    func ping() async throws(ClientError) -> RoundTrip {
        let answer = try await client.ping()
        let parts = answer.roundTrip.components
        return RoundTrip(
            microseconds: parts.seconds * 1_000_000 + parts.attoseconds / 1_000_000_000_000,
            address: answer.address
        )
    }
}
