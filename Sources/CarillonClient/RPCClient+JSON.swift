package import CarillonCore
package import CarillonJSON
package import CarillonRPC
internal import CarillonWire

/// Requests by name, with arguments and answers as JSON (`proto/README.md`, "JSON").
extension RPCClient {
    /// Sends a request, and returns the value of the answer.
    /// - Parameter timeout: instead of the configured timeout; by default five minutes for `execute_now` that waits.
    /// - Throws: the scheduler's error; `invalidArgument` before anything is sent; `unavailable` when no scheduler could take the
    ///   request in time, or when the connection ended and the outcome is unknown.
    package func call(
        _ name: String,
        _ arguments: JSONValue,
        timeout: Duration? = nil
    ) async throws(ClientError) -> JSONValue {
        guard name != "watch_executions", name != "stop_watching" else {
            throw ClientError(.invalidArgument, "\(name) does not have exactly one answer; use watch")
        }
        let key = arguments["idempotency_key"]?.string
        let waits = name == "execute_now" && arguments["wait"] == .bool(true)
        let payload = try await exchange(
            name: name,
            hasIdempotencyKey: key?.isEmpty == false,
            timeout: timeout ?? (waits ? .seconds(300) : configuration.requestTimeout)
        ) { id throws(ClientError) in
            try MessageJSON.encodeRequest(name: name, arguments: arguments, id: id)
        }
        do throws(WireError) {
            return try MessageJSON.decodeAnswer(payload).value
        } catch {
            throw ClientError(.internal, "the scheduler's answer to \(name) cannot be read: \(error)")
        }
    }

    /// Executions as they change, as JSON, until the reader stops or is cancelled.
    /// - Parameter arguments: the fields of `watch_executions`.
    package func watch(_ arguments: JSONValue) -> AsyncThrowingStream<JSONValue, any Error> {
        watch(
            encode: { id throws(ClientError) in
                try MessageJSON.encodeRequest(name: "watch_executions", arguments: arguments, id: id)
            },
            decode: { payload throws(WireError) in try MessageJSON.decodeAnswer(payload).value }
        )
    }
}
