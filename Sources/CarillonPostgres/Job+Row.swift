internal import CarillonCore
internal import CarillonCron

/// A job as its row.
extension Job {
    /// What is selected, in the order in which `init(row:)` reads it. `j` is the table.
    static let columns = """
        j.job_id, j.name, j.description, j.schedule, j.time_zone, j.dst_policy, j.api_url, j.http_method, j.headers, \
        j.body, j.execution_type, j.timeout_ms, j.max_retries, j.retry_initial_delay_ms, j.retry_max_delay_ms, \
        j.catch_up_policy, j.catch_up_window_ms, j.overlap_policy, j.priority, j.active, j.starts_at, j.ends_at, \
        j.tags, j.hidden, j.effective_from, j.version, j.created_at, j.updated_at, j.deleted_at
        """

    init(row: inout RowReader) {
        let id = JobID(row.uuid() ?? .zero)
        let name = row.text()
        let description = row.text()
        let schedule = row.text() ?? ""
        let timeZone = row.text() ?? "UTC"
        let daylightPolicy = DaylightPolicy(stored: row.text() ?? "")
        var call = HTTPCall(url: row.text() ?? "", method: row.text() ?? "POST")
        call.headers = (row.texts() ?? []).compactMap(HTTPHeader.init(line:))
        call.body = row.text()
        self.init(
            id: id,
            name: name,
            description: description,
            schedule: schedule,
            timeZone: timeZone,
            daylightPolicy: daylightPolicy,
            call: call,
            executionType: row.text().flatMap(ExecutionType.init(rawValue:)) ?? .atLeastOnce,
            timeoutMs: Int(row.integer() ?? 30_000),
            maxRetries: Int(row.integer() ?? 3),
            retryInitialDelayMs: Int(row.integer() ?? 2_000),
            retryMaxDelayMs: Int(row.integer() ?? 30_000),
            catchUpPolicy: row.text().flatMap(CatchUpPolicy.init(rawValue:)) ?? .latest,
            catchUpWindowMs: Int(row.integer() ?? 60_000),
            overlapPolicy: row.text().flatMap(OverlapPolicy.init(rawValue:)) ?? .allow,
            priority: Int(row.integer() ?? 0),
            active: row.bool() ?? false,
            startsAt: row.timestamp(),
            endsAt: row.timestamp(),
            tags: row.texts() ?? [],
            hidden: row.bool() ?? false,
            effectiveFrom: row.timestamp() ?? .distantPast,
            version: row.integer() ?? 1,
            createdAt: row.timestamp() ?? .distantPast,
            updatedAt: row.timestamp() ?? .distantPast,
            deletedAt: row.timestamp()
        )
    }

    /// The columns that a job is written with; `shard` is made of the id by the database.
    private static let written = [
        "job_id uuid", "name text", "description text", "schedule text", "time_zone text", "dst_policy text",
        "api_url text", "http_method text", "headers text", "body text", "execution_type text", "timeout_ms integer",
        "max_retries integer", "retry_initial_delay_ms integer", "retry_max_delay_ms integer", "catch_up_policy text",
        "catch_up_window_ms integer", "overlap_policy text", "priority integer", "active boolean",
        "starts_at timestamptz", "ends_at timestamptz", "tags text", "hidden boolean", "effective_from timestamptz",
        "version bigint", "created_at timestamptz", "updated_at timestamptz", "deleted_at timestamptz",
    ].map { $0.split(separator: " ") }

    private static let names = written.map { String($0[0]) }
    /// Arrays of arrays must be rectangular, so lists travel as array literals.
    private static let values = names.map { ["headers", "tags"].contains($0) ? "u.\($0)::text[]" : "u.\($0)" }
    private static let source = """
        unnest(\(written.enumerated().map { "$\($0 + 1)::\($1[1])[]" }.joined(separator: ", "))) \
        AS u(\(names.joined(separator: ", ")))
        """

    static let insertStatement = Statement(
        "insert_jobs",
        "INSERT INTO jobs (\(names.joined(separator: ", "))) SELECT \(values.joined(separator: ", ")) FROM \(source)"
    )

    static let updateStatement = Statement(
        "update_jobs",
        """
        UPDATE jobs j SET \(zip(names, values).dropFirst().filter { $0.0 != "created_at" }
            .map { "\($0) = \($1)" }.joined(separator: ", ")) FROM \(source) WHERE j.job_id = u.job_id
        """
    )

    /// In the order of `written`.
    static func parameters(_ jobs: [Job]) -> Parameters {
        let parameters = Parameters(capacity: jobs.count * 512 + 1_024)
        parameters.addArray(uuid: jobs) { $0.id.uuid }
        parameters.addArray(text: jobs) { $0.name }
        parameters.addArray(text: jobs) { $0.description }
        parameters.addArray(text: jobs) { $0.schedule }
        parameters.addArray(text: jobs) { $0.timeZone }
        parameters.addArray(name: jobs) { $0.daylightPolicy.stored }
        parameters.addArray(text: jobs) { $0.call.url }
        parameters.addArray(text: jobs) { $0.call.method }
        parameters.addArray(text: jobs) { ArrayLiteral.of($0.call.headers.map(\.line)) }
        parameters.addArray(text: jobs) { $0.call.body }
        parameters.addArray(text: jobs) { $0.executionType.rawValue }
        parameters.addArray(integer: jobs) { $0.timeoutMs }
        parameters.addArray(integer: jobs) { $0.maxRetries }
        parameters.addArray(integer: jobs) { $0.retryInitialDelayMs }
        parameters.addArray(integer: jobs) { $0.retryMaxDelayMs }
        parameters.addArray(text: jobs) { $0.catchUpPolicy.rawValue }
        parameters.addArray(integer: jobs) { $0.catchUpWindowMs }
        parameters.addArray(text: jobs) { $0.overlapPolicy.rawValue }
        parameters.addArray(integer: jobs) { $0.priority }
        parameters.addArray(bool: jobs) { $0.active }
        parameters.addArray(timestamp: jobs) { $0.startsAt }
        parameters.addArray(timestamp: jobs) { $0.endsAt }
        parameters.addArray(text: jobs) { ArrayLiteral.of($0.tags) }
        parameters.addArray(bool: jobs) { $0.hidden }
        parameters.addArray(timestamp: jobs) { $0.effectiveFrom }
        parameters.addArray(bigint: jobs) { $0.version }
        parameters.addArray(timestamp: jobs) { $0.createdAt }
        parameters.addArray(timestamp: jobs) { $0.updatedAt }
        parameters.addArray(timestamp: jobs) { $0.deletedAt }
        return parameters
    }
}

extension HTTPHeader {
    /// As it is stored, and as a person writes it: `Name: value`.
    var line: String { "\(name): \(value)" }

    init?(line: String) {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let rest = line[line.index(after: colon)...]
        self.init(name: String(line[..<colon]), value: String(rest.first == " " ? rest.dropFirst() : rest))
    }
}

/// PostgreSQL's text form of an array (documentation, section 8.15.2).
enum ArrayLiteral {
    static func of(_ texts: [String]) -> String {
        guard !texts.isEmpty else { return "{}" }
        var literal = "{"
        for (index, text) in texts.enumerated() {
            if index > 0 { literal += "," }
            literal += "\""
            for scalar in text.unicodeScalars {
                if scalar == "\"" || scalar == "\\" { literal += "\\" }
                literal.unicodeScalars.append(scalar)
            }
            literal += "\""
        }
        return literal + "}"
    }
}
