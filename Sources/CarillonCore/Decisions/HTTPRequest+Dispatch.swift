internal import CarillonCron

/// The HTTP request of a dispatched call.
extension HTTPRequest {
    /// The maximum kept length of a response, whatever the dispatch requests: an outcome must fit into a frame.
    private static var longestResponse: Int { 1 << 20 }

    /// Methods that send Carillon's default body if the job has none.
    private static let methodsWithBody: Set<String> = ["POST", "PUT", "PATCH"]

    /// - Parameters:
    ///   - http: the request of the job.
    ///   - actualTime: the current cluster time.
    ///   - userAgent: `Carillon/<version>`.
    init(_ call: DispatchedCall, _ http: HTTPCall, actualTime: Timestamp, userAgent: String) {
        let scheduled = RFC3339.format(milliseconds: call.scheduledTime.milliseconds)
        let isOwnBody = http.body == nil && HTTPRequest.methodsWithBody.contains(http.method)
        self.init(
            token: call.token,
            method: http.method,
            url: http.url,
            headers: HTTPRequest.headers(
                of: call,
                http.headers,
                scheduled: scheduled,
                userAgent: userAgent,
                isOwnBody: isOwnBody
            ),
            body: isOwnBody
                ? HTTPRequest.ownBody(of: call, scheduled: scheduled, actualTime: actualTime) : http.body,
            timeoutMs: call.timeoutMs,
            connectTimeoutMs: call.connectTimeoutMs,
            atMostOnce: call.atMostOnce,
            responseLimit: max(0, min(call.responseLimit, HTTPRequest.longestResponse))
        )
    }

    /// The user's headers, then Carillon's. The user may override User-Agent, Content-Type and traceparent, but not the
    /// headers that identify the execution.
    private static func headers(
        of call: DispatchedCall,
        _ own: [HTTPHeader],
        scheduled: String,
        userAgent: String,
        isOwnBody: Bool
    ) -> [HTTPHeader] {
        var headers = own.filter { header in
            let name = header.name.lowercased()
            return name != "idempotency-key" && !name.hasPrefix("x-carillon-")
        }
        let given = Set(headers.map { $0.name.lowercased() })
        headers.reserveCapacity(headers.count + 8)
        func add(_ name: String, _ value: @autoclosure () -> String) {
            guard given.isEmpty || !given.contains(name.lowercased()) else { return }
            headers.append(HTTPHeader(name: name, value: value()))
        }
        add("User-Agent", userAgent)
        add("traceparent", TraceParent.text(execution: call.executionID, token: call.token))
        if isOwnBody { add("Content-Type", "application/json") }
        let execution = call.executionID.description
        add("Idempotency-Key", execution)
        add("X-Carillon-Job-Id", call.jobID.description)
        add("X-Carillon-Execution-Id", execution)
        add("X-Carillon-Scheduled-Time", scheduled)
        add("X-Carillon-Attempt", String(call.attempt))
        return headers
    }

    /// Ids and times contain no character that JSON must escape.
    private static func ownBody(of call: DispatchedCall, scheduled: String, actualTime: Timestamp) -> String {
        let actual = RFC3339.format(milliseconds: actualTime.milliseconds)
        return "{\"job_id\":\"\(call.jobID)\",\"execution_id\":\"\(call.executionID)\","
            + "\"scheduled_time\":\"\(scheduled)\",\"actual_time\":\"\(actual)\"}"
    }
}
