import CarillonCron
import Testing

/// Compares the target's calls with the rows: a call for every success, a row for every call, one key for each due
/// time.
struct CallAudit {
    /// The relevant columns of a row.
    struct Row {
        var jobID: String
        /// Seconds since 1970.
        var second: Int
        var status: String
        var attempts: Int
        var lostAttempts = 0
        var isAtMostOnce: Bool
    }

    /// Calls beyond the first of an attempt.
    var repeatedCalls = 0
    /// Repeated calls whose rows count no attempt that was lost with its worker.
    var repeatedSilently: [String] = []
    var calledTwice: [String] = []
    /// Calls whose due time differs from the row of their key, and due times with several keys.
    var confused: [String] = []
    var lost: [String] = []
    var strangers: [String] = []
    /// Ended rows whose number of attempts differs from the calls of the target.
    var miscounted: [String] = []

    /// - Parameter rows: by execution id.
    init(of received: [ReceivedCall], rows: [String: Row]) {
        var calls: [String: [ReceivedCall]] = [:]
        var keys: [String: String] = [:]
        for call in received {
            calls[call.key, default: []].append(call)
            let occurrence = "\(call.jobID)@\(call.scheduledTime)"
            if let key = keys.updateValue(call.key, forKey: occurrence), key != call.key { confused.append(occurrence) }
        }
        for (key, list) in calls {
            guard let row = rows[key] else {
                strangers.append(key)
                continue
            }
            for call in list
            where call.jobID != row.jobID || RFC3339.parse(call.scheduledTime) != Int64(row.second) * 1_000 {
                confused.append("\(key): \(call.jobID)@\(call.scheduledTime)")
            }
            let repeated = list.count - Set(list.map(\.attempt)).count
            repeatedCalls += repeated
            if repeated > row.lostAttempts { repeatedSilently.append(key) }
            if row.isAtMostOnce, list.count > 1 { calledTwice.append(key) }
        }
        for (key, row) in rows {
            let count = calls[key]?.count ?? 0
            if row.status == "SUCCESS", count == 0 { lost.append(key) }
            let isOver = !["PENDING", "RUNNING", "RETRYING", "UNKNOWN"].contains(row.status)
            if isOver, count != row.attempts {
                miscounted.append("\(key) \(row.status), \(row.attempts) attempts, \(count) calls")
            }
        }
    }

    /// Expects no AT_MOST_ONCE call made twice, no call without a row, and no success without a call.
    func expectWhole(_ location: SourceLocation = #_sourceLocation) {
        #expect(calledTwice.isEmpty, "AT_MOST_ONCE called twice: \(calledTwice.prefix(3))", sourceLocation: location)
        #expect(confused.isEmpty, "several keys for a due time: \(confused.prefix(3))", sourceLocation: location)
        #expect(
            lost.isEmpty,
            "SUCCESS without a call of the target: \(lost.prefix(3))",
            sourceLocation: location
        )
        #expect(strangers.isEmpty, "calls without a row: \(strangers.prefix(3))", sourceLocation: location)
    }
}
