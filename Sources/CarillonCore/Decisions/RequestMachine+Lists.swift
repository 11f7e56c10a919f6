/// Limits, cursors and pages of lists.
extension RequestMachine {
    func query(_ list: ListJobs) throws(ClientError) -> JobQuery {
        JobQuery(
            active: list.active,
            name: list.name,
            tag: list.tag,
            lastStatus: list.lastStatus,
            limit: try limit(list.limit),
            after: try cursor(list.cursor).map { JobID($0) }
        )
    }

    func query(_ list: ListExecutions) throws(ClientError) -> ExecutionQuery {
        if let from = list.from, let to = list.to, to <= from { throw .rangeIsEmpty }
        return ExecutionQuery(
            jobID: list.jobID,
            statuses: list.statuses,
            from: list.from,
            to: list.to,
            limit: try limit(list.limit),
            after: try cursor(list.cursor).map { ExecutionID($0) }
        )
    }

    /// The range of scheduled times for statistics; the last day by default.
    func statsRange(_ from: Timestamp?, _ to: Timestamp?) throws(ClientError) -> (from: Timestamp, to: Timestamp) {
        let to = to ?? now
        let from = from ?? to - 86_400_000
        guard from < to else { throw .rangeIsEmpty }
        return (from, to)
    }

    private func limit(_ asked: UInt32?) throws(ClientError) -> Int {
        let limit = Int(asked ?? 100)
        guard (1...1000).contains(limit) else {
            throw ClientError(invalid: "limit", "is \(limit); allowed are 1 to 1000")
        }
        return limit
    }

    private func cursor(_ text: String?) throws(ClientError) -> UniqueID? {
        guard let text else { return nil }
        guard let id = UniqueID(text) else {
            throw ClientError(
                .invalidArgument,
                "cursor '\(text.prefix(50))' was not returned by a list",
                errors: [
                    FieldError(field: "cursor", message: "was not returned by a list; use a returned cursor unchanged")
                ]
            )
        }
        return id
    }

    /// As many rows as fit into half a frame, at least one. Rows with large texts produce short pages.
    func fitting<Row>(_ rows: [Row], textBytes: (Row) -> Int) -> (rows: [Row], isCut: Bool) {
        var bytes = 0
        for (index, row) in rows.enumerated() {
            // Estimate 2 KiB for the rest of a row: headers, tags, names, an error.
            bytes += textBytes(row) + 2_048
            if bytes > maxFrameBytes / 2, index > 0 { return (Array(rows[..<index]), true) }
        }
        return (rows, false)
    }
}

extension ClientError {
    fileprivate static let rangeIsEmpty = ClientError(invalid: "to", "is not after from; it must be later")
}
