/// What must hold after each event.
extension RequestMachine {
    /// What is wrong; `nil` when the machine is consistent.
    package var inconsistency: String? {
        let keys = openRequests.values.compactMap { $0.keyRecord.map(KeyName.init) }
        if keys.count != keysInUse.count || Set(keys) != keysInUse {
            return "keys in use: \(keysInUse), keys of open requests: \(keys)"
        }
        for (job, line) in changeLines {
            guard let first = line.first, openRequests[first]?.step != .queued else {
                return "no change of job \(job) is being made: \(line)"
            }
            for ticket in line where openRequests[ticket]?.request.changedJob != job {
                return "request \(ticket) is no change of job \(job)"
            }
            for ticket in line.dropFirst() where openRequests[ticket]?.step != .queued {
                return "request \(ticket) does not wait for an earlier change of job \(job)"
            }
        }
        for (ticket, request) in openRequests {
            if request.step == .begun { return "request \(ticket) has no next step" }
            guard let job = request.request.changedJob else { continue }
            if changeLines[job]?.contains(ticket) != true { return "request \(ticket) is in no line" }
        }
        return nil
    }

    /// Requests without a reply.
    package var openCount: Int { openRequests.count }
}
