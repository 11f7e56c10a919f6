internal import CarillonCore
internal import CarillonRuntime
internal import CarillonWire

extension RPCClient {
    /// Executions as they change, until the reader stops or is cancelled.
    ///
    /// When the scheduler goes away, the watch continues with the next one; changes in between are not reported. It ends with an
    /// error when no scheduler accepts it within the take-over wait, when the request is invalid, or when thousands of changes
    /// wait for a slow reader.
    /// - Parameters:
    ///   - encode: creates the payload of `watch_executions` for an id.
    ///   - decode: reads the payload of an answer.
    package func watch<Value: Sendable>(
        encode: @escaping Encoding,
        decode: @escaping Decoding<Value>
    ) -> AsyncThrowingStream<Value, any Error> {
        AsyncThrowingStream(bufferingPolicy: .bufferingOldest(RPCClient.watchBuffer)) { continuation in
            let task = Task {
                do throws(ClientError) {
                    try await runWatch(encode, decode, continuation)
                    continuation.finish()
                } catch {
                    continuation.finish(throwing: error)
                }
            }
            continuation.onTermination = { _ in task.cancel() }
        }
    }

    private func runWatch<Value: Sendable>(
        _ encode: (_ id: UInt64) throws(ClientError) -> [UInt8],
        _ decode: (_ payload: [UInt8]) throws(WireError) -> Value,
        _ output: AsyncThrowingStream<Value, any Error>.Continuation
    ) async throws(ClientError) {
        let safety = RequestSafety(name: "watch_executions", hasIdempotencyKey: false)
        let wait = milliseconds(configuration.takeOverWait)
        var patience = SystemClock.bootTime() + wait
        var excluded: Set<Int> = []
        while !Task.isCancelled {
            let version = router.version
            guard let connection = router.pick(safety, excluding: excluded) else {
                guard SystemClock.bootTime() < patience, !router.isClosed else {
                    throw nobody("watch_executions", configuration.takeOverWait, tried: [])
                }
                let soon = excluded.isEmpty ? patience : SystemClock.bootTime() + 100
                excluded = []
                await router.waitForChange(since: version, until: min(patience, soon))
                continue
            }
            let begin = SystemClock.bootTime()
            let refusal = try await watchOnce(encode, decode, on: connection, output)
            // A subscription that lasted is not a failure.
            if refusal == nil || SystemClock.bootTime().milliseconds(since: begin) > 1_000 {
                patience = SystemClock.bootTime() + wait
            }
            if refusal != nil { excluded.insert(connection.id) }
        }
    }

    /// One subscription. Returns the scheduler's error if it refused, `nil` if the connection ended.
    private func watchOnce<Value: Sendable>(
        _ encode: (_ id: UInt64) throws(ClientError) -> [UInt8],
        _ decode: (_ payload: [UInt8]) throws(WireError) -> Value,
        on connection: DialedConnection,
        _ output: AsyncThrowingStream<Value, any Error>.Continuation
    ) async throws(ClientError) -> ClientError? {
        let id = router.nextID()
        let payload = try encode(id)
        let replies = router.subscribe(
            id,
            FrameEncoder.frame(payload: payload),
            name: "watch_executions",
            on: connection,
            limit: RPCClient.watchBuffer
        )
        defer {
            router.abandon(id, .cancelled)
            connection.outbox.send([Envelope(id: id, .request(.stopWatching))])
        }
        for await reply in replies {
            switch reply {
            case .answer(let answer) where answer.body != MessageCodec.errorField:
                let value: Value
                do throws(WireError) {
                    value = try decode(answer.payload)
                } catch {
                    throw ClientError(.internal, "the scheduler's answer cannot be read: \(error)")
                }
                if case .dropped = output.yield(value) { throw tooSlow }
            case .answer(let answer):
                let error = readError(answer)
                guard error.code == .notLeader || error.code == .unavailable else { throw error }
                if error.code == .notLeader { follow(error, from: connection) }
                return error
            case .notSent, .connectionLost: return nil
            case .timedOut, .cancelled: return nil
            case .closed: throw ClientError(.unavailable, "this client is closed", retryable: false)
            }
        }
        guard Task.isCancelled else { throw tooSlow }
        return nil
    }

    private var tooSlow: ClientError {
        let text = "watch reader too slow: \(RPCClient.watchBuffer) changes are waiting"
        return ClientError(.resourceExhausted, text)
    }
}
