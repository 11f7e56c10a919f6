internal import CarillonCron

/// The request that a dispatched call stands for (design § 8: what the target gets).
extension HTTPRequest {
    /// More than this of a response is never kept, whatever the dispatch says: an outcome must fit into a frame.
    private static var longestResponse: Int { 1 << 20 }

    /// Methods whose requests have Carillon's own body when the job gives none.
    private static let methodsWithBody: Set<String> = ["POST", "PUT", "PATCH"]

    /// - Parameters:
    ///   - actualTime: cluster time now.
    ///   - userAgent: `Carillon/<version>`.
    init(_ call: DispatchedCall, actualTime: Timestamp, userAgent: String) {
        let isOwnBody = call.call.body == nil && HTTPRequest.methodsWithBody.contains(call.call.method)
        self.init(
            token: call.token,
            method: call.call.method,
            url: call.call.url,
            headers: HTTPRequest.headers(of: call, userAgent: userAgent, isOwnBody: isOwnBody),
            body: isOwnBody ? HTTPRequest.ownBody(of: call, actualTime: actualTime) : call.call.body,
            timeoutMs: call.timeoutMs,
            connectTimeoutMs: call.connectTimeoutMs,
            atMostOnce: call.atMostOnce,
            responseLimit: max(0, min(call.responseLimit, HTTPRequest.longestResponse))
        )
    }

    /// The user's, then Carillon's. The user's User-Agent, Content-Type and traceparent win; what identifies the execution
    /// is Carillon's alone.
    private static func headers(of call: DispatchedCall, userAgent: String, isOwnBody: Bool) -> [HTTPHeader] {
        let execution = call.executionID.description
        let identity = [
            HTTPHeader(name: "Idempotency-Key", value: execution),
            HTTPHeader(name: "X-Carillon-Job-Id", value: call.jobID.description),
            HTTPHeader(name: "X-Carillon-Execution-Id", value: execution),
            HTTPHeader(
                name: "X-Carillon-Scheduled-Time",
                value: RFC3339.format(milliseconds: call.scheduledTime.milliseconds)
            ),
            HTTPHeader(name: "X-Carillon-Attempt", value: String(call.attempt)),
        ]
        var defaults = [
            HTTPHeader(name: "User-Agent", value: userAgent),
            HTTPHeader(
                name: "traceparent",
                value: TraceParent.text(execution: call.executionID, token: call.token)
            ),
        ]
        if isOwnBody { defaults.append(HTTPHeader(name: "Content-Type", value: "application/json")) }
        var headers = call.call.headers.filter { header in
            let name = header.name.lowercased()
            return name != "idempotency-key" && !name.hasPrefix("x-carillon-")
        }
        let given = Set(headers.map { $0.name.lowercased() })
        headers.append(contentsOf: given.isEmpty ? defaults : defaults.filter { !given.contains($0.name.lowercased()) })
        headers.append(contentsOf: identity)
        return headers
    }

    /// Ids and times have no character that JSON would want escaped.
    private static func ownBody(of call: DispatchedCall, actualTime: Timestamp) -> String {
        let scheduled = RFC3339.format(milliseconds: call.scheduledTime.milliseconds)
        let actual = RFC3339.format(milliseconds: actualTime.milliseconds)
        return "{\"job_id\":\"\(call.jobID)\",\"execution_id\":\"\(call.executionID)\","
            + "\"scheduled_time\":\"\(scheduled)\",\"actual_time\":\"\(actual)\"}"
    }
}
