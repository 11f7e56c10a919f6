internal import CarillonCore
internal import CarillonCron
internal import CarillonJSON

extension Session {
    /// The number of newest executions that are searched for the end of an id.
    static let searchedExecutions = 10_000

    /// The job and execution ids for a reference: `EXECUTION`, `JOB@TIME`, or `JOB EXECUTION`.
    func executionIDs(_ words: [String]) async throws -> JSONValue {
        let reference = words[words.count - 1]
        let job = words.count > 1 ? try await jobID(words[0]) : nil
        if let id = UniqueID(reference) {
            if let job { return ["job_id": .string(job), "execution_id": .string(id.description)] }
            return try await execution(id)
        }
        if job == nil, let at = reference.lastIndex(of: "@") {
            let time = String(reference[reference.index(after: at)...])
            return try await execution(ofJob: String(reference[..<at]), at: time, reference)
        }
        guard let digits = ShortID.digits(reference) else {
            throw ClientError(
                .invalidArgument,
                "\"\(reference)\" is not a reference to an execution; write an id, at least the last \(ShortID.minimum) digits of an id, or JOB@TIME, "
                    + "such as report@2026-11-25T09:00:00"
            )
        }
        return try await execution(endingWith: digits, job: job, reference)
    }

    /// An id starts with the scheduled time in milliseconds, so a list for that time contains the execution.
    private func execution(_ id: UniqueID) async throws -> JSONValue {
        let milliseconds = ExecutionID(id).time.milliseconds
        let found = try await executions([], from: milliseconds, to: milliseconds + 1) {
            $0["execution_id"]?.string == id.description
        }
        guard let execution = found.first else {
            throw ClientError(.notFound, "execution \(id) does not exist (see `carillon execution list`)")
        }
        return Session.ids(execution)
    }

    private func execution(ofJob job: String, at text: String, _ reference: String) async throws -> JSONValue {
        guard let range = times.range(text) else {
            throw ClientError(
                .invalidArgument,
                "\"\(text)\" in \(reference) is not a time; write 2026-11-25T09:00:00 as tables show it, or "
                    + "2026-11-25T08:00:00Z (RFC 3339)"
            )
        }
        let id = try await jobID(job)
        let found = try await executions(
            [JSONValue.Member("job_id", .string(id))],
            from: range.lowerBound,
            to: range.upperBound
        ) { _ in true }
        guard !found.isEmpty else {
            throw ClientError(
                .notFound,
                "the job \"\(job)\" has no execution at \(RFC3339.format(milliseconds: range.lowerBound))"
            )
        }
        guard found.count == 1 else { throw Session.ambiguous("match", reference, found) }
        return Session.ids(found[0])
    }

    private func execution(endingWith digits: String, job: String?, _ reference: String) async throws -> JSONValue {
        var found: [JSONValue] = []
        let list = PagedList(
            request: "list_executions",
            arguments: job.map { [JSONValue.Member("job_id", .string($0))] } ?? [],
            member: "executions",
            count: Session.searchedExecutions
        )
        let hasMore = try await list.forEachPage(in: self) { _, executions in
            found += executions.filter { ShortID.matches($0["execution_id"], digits) }
            return found.isEmpty
        }
        guard let first = found.first else {
            let searched =
                hasMore
                ? "none of the newest \(Session.searchedExecutions) executions has an id that ends with"
                : "no execution has an id that ends with"
            throw ClientError(.notFound, "\(searched) \(reference); write the whole id, or JOB@TIME")
        }
        guard found.count == 1 else { throw Session.ambiguous("have ids that end with", reference, found) }
        return Session.ids(first)
    }

    private func executions(
        _ arguments: [JSONValue.Member],
        from: Int64,
        to: Int64,
        where isWanted: (JSONValue) -> Bool
    ) async throws -> [JSONValue] {
        var found: [JSONValue] = []
        let range: [JSONValue.Member] = [
            .init("from", .string(RFC3339.format(milliseconds: from))),
            .init("to", .string(RFC3339.format(milliseconds: to))),
        ]
        let list = PagedList(
            request: "list_executions",
            arguments: arguments + range,
            member: "executions",
            count: nil
        )
        _ = try await list.forEachPage(in: self) { _, executions in
            found += executions.filter(isWanted)
            return found.count < 2
        }
        return found
    }

    private static func ids(_ execution: JSONValue) -> JSONValue {
        ["job_id": execution["job_id"] ?? .null, "execution_id": execution["execution_id"] ?? .null]
    }

    private static func ambiguous(_ verb: String, _ reference: String, _ found: [JSONValue]) -> ClientError {
        let ids = found.prefix(5).map { ValueFormat.text($0["execution_id"]) }.joined(separator: ", ")
        return ClientError(.invalidArgument, "several executions \(verb) \(reference); write the whole id: \(ids)")
    }
}

extension TimeFormat {
    /// The range of milliseconds that a time matches: a whole second if the text has no fraction. A time without an
    /// offset is in the local zone.
    func range(_ text: String) -> Range<Int64>? {
        let length: Int64 = text.contains(".") ? 1 : 1_000
        if let milliseconds = RFC3339.parse(text) { return milliseconds..<milliseconds + length }
        guard let local = RFC3339.parse(text + "Z") else { return nil }
        let whole = local >= 0 ? local / 1_000 : (local - 999) / 1_000
        let start = seconds(of: CivilTime(seconds: whole)) * 1_000 + local - whole * 1_000
        return start..<start + length
    }
}
