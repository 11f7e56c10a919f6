import CarillonCore
import CarillonCurl
import Synchronization

/// A client and its results.
final class CallerBench: Sendable {
    private struct State {
        var results: [DispatchToken: HTTPResult] = [:]
        /// Tokens with more than one result, which is a defect.
        var repeated: [DispatchToken] = []
        var waiting: [DispatchToken: CheckedContinuation<HTTPResult, Never>] = [:]
    }

    private final class Results: Sendable {
        let state = Mutex(State())

        func deliver(_ results: [HTTPResult]) {
            for result in results {
                let waiting = state.withLock { state in
                    if state.results.updateValue(result, forKey: result.token) != nil {
                        state.repeated.append(result.token)
                    }
                    return state.waiting.removeValue(forKey: result.token)
                }
                waiting?.resume(returning: result)
            }
        }
    }

    let caller: CurlCaller
    private let results: Results
    private let sequence = Atomic<UInt64>(0)

    init(maxCalls: Int = 64, loops: Int = 1, maxConnectionAgeSeconds: Int = 60, authorities: String? = nil) {
        let results = Results()
        self.results = results
        caller = CurlCaller(
            maxCalls: maxCalls,
            loops: loops,
            maxConnectionAgeSeconds: maxConnectionAgeSeconds,
            authorities: authorities
        ) { results.deliver($0) }
    }

    deinit {
        caller.shutdown()
    }

    var repeated: [DispatchToken] { results.state.withLock { $0.repeated } }

    func request(
        _ url: String,
        method: String = "POST",
        headers: [HTTPHeader] = [],
        body: String? = "{}",
        timeoutMs: Int = 30_000,
        connectTimeoutMs: Int = 10_000,
        atMostOnce: Bool = false,
        responseLimit: Int = 4_096,
        httpVersion: HTTPVersion = .automatic
    ) -> HTTPRequest {
        HTTPRequest(
            token: DispatchToken(epoch: 1, sequence: sequence.add(1, ordering: .relaxed).newValue),
            method: method,
            url: url,
            headers: headers,
            body: body,
            timeoutMs: timeoutMs,
            connectTimeoutMs: connectTimeoutMs,
            atMostOnce: atMostOnce,
            responseLimit: responseLimit,
            httpVersion: httpVersion
        )
    }

    func call(_ request: HTTPRequest) async -> HTTPResult {
        caller.start([request])
        return await result(of: request.token)
    }

    func result(of token: DispatchToken) async -> HTTPResult {
        await withCheckedContinuation { continuation in
            let known = results.state.withLock { state -> HTTPResult? in
                if let known = state.results[token] { return known }
                state.waiting[token] = continuation
                return nil
            }
            if let known { continuation.resume(returning: known) }
        }
    }
}
