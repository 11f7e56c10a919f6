/// Invariants that hold after each event.
extension RequestMachine {
    /// The first violated invariant; `nil` if there is none.
    package var inconsistency: String? {
        let keys = openRequests.values.compactMap { $0.keyRecord.map(KeyName.init) }
        if keys.count != keysInUse.count || Set(keys) != keysInUse {
            return "keys in use: \(keysInUse), keys of open requests: \(keys)"
        }
        for (job, line) in changeLines {
            guard let first = line.first, openRequests[first]?.step != .queued else {
                return "no change of job \(job) is in progress: \(line)"
            }
            for requestID in line where openRequests[requestID]?.request.changedJob != job {
                return "request \(requestID) is not a change of job \(job)"
            }
            for requestID in line.dropFirst() where openRequests[requestID]?.step != .queued {
                return "request \(requestID) does not wait for an earlier change of job \(job)"
            }
        }
        for (requestID, request) in openRequests {
            if request.step == .begun { return "request \(requestID) has no next step" }
            guard let job = request.request.changedJob else { continue }
            if changeLines[job]?.contains(requestID) != true { return "request \(requestID) is in no queue" }
        }
        return nil
    }

    /// The number of requests without a reply.
    package var openCount: Int { openRequests.count }
}
