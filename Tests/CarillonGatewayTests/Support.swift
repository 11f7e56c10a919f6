import CarillonCore
import CarillonJSON
import CarillonSystem
import CarillonWire
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import Synchronization
import Testing

import struct HummingbirdCore.Request

@testable import CarillonGateway

typealias Method = HTTPTypes.HTTPRequest.Method

/// Schedulers with the responses of a test. Requests must be valid RPC requests.
final class FakeScheduler: SchedulerCaller {
    struct Call: Sendable {
        var name: String
        var arguments: JSONValue
        var timeout: Duration?
    }

    private struct State {
        var answers: [String: Result<JSONValue, ClientError>] = [:]
        var calls: [Call] = []
    }

    private let state = Mutex(State())
    let connectedSchedulers: [ConnectedScheduler]

    init(_ answers: [String: JSONValue] = [:], connected: [ConnectedScheduler] = []) {
        connectedSchedulers = connected
        state.withLock { $0.answers = answers.mapValues { .success($0) } }
    }

    convenience init(failing name: String, _ error: ClientError) {
        self.init()
        set(name, .failure(error))
    }

    func set(_ name: String, _ answer: Result<JSONValue, ClientError>) {
        state.withLock { $0.answers[name] = answer }
    }

    var calls: [Call] { state.withLock { $0.calls } }

    func call(_ name: String, _ arguments: JSONValue, timeout: Duration?) async throws(ClientError) -> JSONValue {
        _ = try MessageJSON.encodeRequest(name: name, arguments: arguments, id: 1)
        let answer = state.withLock { state in
            state.calls.append(Call(name: name, arguments: arguments, timeout: timeout))
            return state.answers[name]
        }
        guard let answer else { throw ClientError(.unavailable, "nobody is there") }
        return try answer.get()
    }
}

/// A response of the gateway.
struct Answered {
    var status: Int
    var headers: HTTPFields
    var text: String

    var json: JSONValue { get throws { try JSONText.read(text) } }
}

func gateway(_ scheduler: FakeScheduler) -> Gateway {
    let registry = MetricsRegistry()
    return Gateway(
        caller: scheduler,
        registry: registry,
        metrics: GatewayMetrics(registry: registry),
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    )
}

/// Sends one request to a gateway with that scheduler, without a network.
@discardableResult
func ask(
    _ scheduler: FakeScheduler,
    _ method: Method,
    _ uri: String,
    _ body: String? = nil,
    headers: HTTPFields = [:]
) async throws -> Answered {
    try await ask(gateway(scheduler), method, uri, body, headers: headers)
}

@discardableResult
func ask(
    _ gateway: Gateway,
    _ method: Method,
    _ uri: String,
    _ body: String? = nil,
    headers: HTTPFields = [:],
    asJSON: Bool = true,
    host: String? = "localhost",
    peer: String? = "127.0.0.1",
    guardedBy originGuard: OriginGuard = OriginGuard(GatewayConfiguration())
) async throws -> Answered {
    var headers = headers
    if let body {
        headers[.contentLength] = String(body.utf8.count)
        if asJSON, headers[.contentType] == nil { headers[.contentType] = "application/json" }
    }
    let head = HTTPTypes.HTTPRequest(
        method: method,
        scheme: "http",
        authority: host,
        path: uri,
        headerFields: headers
    )
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer(string: body ?? "")))
    let response = try await GatewayResponder(gateway: gateway, originGuard: originGuard).respond(
        to: request,
        from: peer
    )
    let collector = Collector()
    try await response.body.write(collector)
    return Answered(status: response.status.code, headers: response.headers, text: collector.text)
}

/// Collects the written body.
private final class Collector: ResponseBodyWriter {
    private let buffer = Mutex(ByteBuffer())

    var text: String { buffer.withLock { String(buffer: $0) } }

    func write(_ part: ByteBuffer) async throws {
        _ = buffer.withLock { $0.writeImmutableBuffer(part) }
    }

    func finish(_ trailers: HTTPFields?) async throws {}
}

let jobID = Examples.jobID
let executionID = Examples.executionID
