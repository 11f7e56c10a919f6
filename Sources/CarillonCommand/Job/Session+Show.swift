internal import CarillonCore
internal import CarillonCron
internal import CarillonJSON
internal import CarillonSystem

extension Session {
    func show(job: JSONValue, next: [String] = []) throws {
        switch format {
        case .json: try writeJSON(job)
        case .table: try write(DetailTable.job(job, times, next: next).text(style))
        }
    }

    /// Shows a created or changed job. Tables include its next three due times in its time zone.
    func show(changed job: JSONValue) async throws {
        guard format == .table else { return try show(job: job) }
        try show(job: job, next: await nextTimes(of: job))
    }

    private func nextTimes(of job: JSONValue) async -> [String] {
        guard let next = job["next_run_time"]?.string.flatMap({ RFC3339.parse($0) }), let schedule = job["schedule"]
        else {
            return []
        }
        var arguments: [JSONValue.Member] = [
            .init("schedule", schedule), .init("from", .string(RFC3339.format(milliseconds: next - 1_000))),
            .init("count", 3),
        ]
        for name in ["time_zone", "dst_policy"] {
            if let value = job[name], value != .null { arguments.append(JSONValue.Member(name, value)) }
        }
        let end = job["ends_at"]?.string.flatMap { RFC3339.parse($0) } ?? .max
        // The job is already changed: a failed preview must not look like a failed change.
        let preview = try? await call("preview_schedule", .object(arguments))
        let zone = job["time_zone"]?.string.flatMap { try? world.zones.zone(named: $0) }
        let clock = TimeFormat(zone: zone ?? .utc)
        return (preview?["times"]?.array ?? []).compactMap { $0["time"] }.filter { time in
            time.string.flatMap { RFC3339.parse($0) }.map { $0 >= next && $0 <= end } ?? false
        }.map { clock.dayAndTime($0) }
    }

    func show(execution: JSONValue) throws {
        switch format {
        case .json: try writeJSON(execution)
        case .table:
            try write(DetailTable.execution(execution, times).text(style))
            let attempts = execution["failed_attempts"]?.array ?? []
            guard !attempts.isEmpty else { return }
            var table = table(.attempts)
            try write("\nfailed attempts\n" + table.lines(of: attempts))
        }
    }

    /// Shows the results of a command for several jobs: one result in full, several as rows.
    func show(_ results: [JSONValue], as layout: Table.Layout, one: (JSONValue) throws -> Void) throws {
        if results.count == 1 { return try one(results[0]) }
        switch format {
        case .json: try writeJSON(.array(results))
        case .table:
            var table = table(layout)
            try write(table.lines(of: results))
        }
    }

    /// Performs an action for each of several jobs. An error of one job does not stop the others.
    ///
    /// - Returns: the responses, and the first error; the other errors have been reported.
    func forEachJob(
        _ references: [String],
        _ body: (String) async throws -> JSONValue
    ) async throws -> (answers: [JSONValue], failure: (any Error)?) {
        let jobs = try await jobIDs(references)
        var answers: [JSONValue] = []
        var failure: (any Error)?
        for job in jobs {
            do {
                answers.append(try await body(job.id))
            } catch let error as ClientError where jobs.count > 1 {
                let named = ClientError(
                    error.code,
                    "\(job.reference): \(error.text)",
                    errors: error.errors,
                    reason: error.reason
                )
                if failure == nil { failure = named } else { world.writeError(named.report) }
            }
        }
        return (answers, failure)
    }
}
