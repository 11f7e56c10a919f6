internal import CarillonCore

/// Conversion of jobs to and from rows: the id, the settings by the catalogue, and Carillon's own columns.
extension Job {
    /// The selected columns, in the order in which `init(row:)` reads them. `j` is the table.
    static let columns = written.map { "j.\($0.name)" }.joined(separator: ", ")

    init(row: inout RowReader) {
        self = Job.blank
        id = JobID(row.uuid() ?? .zero)
        for field in JobField.all { field.storage.read(&row, into: &self) }
        isAdHoc = row.bool() ?? false
        effectiveFrom = row.timestamp() ?? .distantPast
        version = row.integer() ?? 1
        createdAt = row.timestamp() ?? .distantPast
        updatedAt = row.timestamp() ?? .distantPast
        deletedAt = row.timestamp()
    }

    /// The written columns. The database derives `shard` from the id.
    private static let written: [(name: String, type: String)] = {
        let settings = JobField.all.map { (name: $0.column, type: $0.storage.columnType) }
        let notes: [(name: String, type: String)] = [
            ("hidden", "boolean"), ("effective_from", "timestamptz"), ("version", "bigint"),
            ("created_at", "timestamptz"), ("updated_at", "timestamptz"), ("deleted_at", "timestamptz"),
        ]
        return [(name: "job_id", type: "uuid")] + settings + notes
    }()

    private static let names = written.map(\.name)
    /// Lists are sent as array literals, because arrays of arrays must be rectangular.
    private static let lists = Set(JobField.all.filter { $0.storage.isList }.map(\.column))
    private static let values = names.map { lists.contains($0) ? "u.\($0)::text[]" : "u.\($0)" }
    private static let source = """
        unnest(\(written.enumerated().map { "$\($0 + 1)::\($1.type)[]" }.joined(separator: ", "))) \
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

    /// The parameters in the order of `written`.
    static func parameters(_ jobs: [Job]) -> Parameters {
        let parameters = Parameters(capacity: jobs.count * 512 + 1_024)
        parameters.addArray(uuid: jobs) { $0.id.uuid }
        for field in JobField.all { field.storage.add(jobs, to: parameters) }
        parameters.addArray(bool: jobs) { $0.isAdHoc }
        parameters.addArray(timestamp: jobs) { $0.effectiveFrom }
        parameters.addArray(bigint: jobs) { $0.version }
        parameters.addArray(timestamp: jobs) { $0.createdAt }
        parameters.addArray(timestamp: jobs) { $0.updatedAt }
        parameters.addArray(timestamp: jobs) { $0.deletedAt }
        return parameters
    }
}

extension JobField.Storage {
    /// The SQL type of the parameter.
    fileprivate var columnType: String {
        switch self {
        case .text, .optionalText, .texts, .headers: "text"
        case .integer: "integer"
        case .time: "timestamptz"
        case .flag: "boolean"
        }
    }

    fileprivate var isList: Bool {
        switch self {
        case .texts, .headers: true
        case .text, .optionalText, .integer, .time, .flag: false
        }
    }

    /// Reads the next column. An unexpected NULL leaves the default.
    fileprivate func read(_ row: inout RowReader, into job: inout Job) {
        switch self {
        case .text(_, let set): if let text = row.text() { set(&job, text) }
        case .optionalText(_, let set): set(&job, row.text())
        case .integer(_, let set): if let number = row.integer() { set(&job, Int(number)) }
        case .time(_, let set): set(&job, row.timestamp())
        case .flag(_, let set): if let flag = row.bool() { set(&job, flag) }
        case .texts(_, let set): set(&job, row.texts() ?? [])
        case .headers(_, let set): set(&job, (row.texts() ?? []).compactMap(HTTPHeader.init(line:)))
        }
    }

    fileprivate func add(_ jobs: [Job], to parameters: Parameters) {
        switch self {
        case .text(let get, _): parameters.addArray(text: jobs) { get($0) }
        case .optionalText(let get, _): parameters.addArray(text: jobs) { get($0) }
        case .integer(let get, _): parameters.addArray(integer: jobs) { get($0) }
        case .time(let get, _): parameters.addArray(timestamp: jobs) { get($0) }
        case .flag(let get, _): parameters.addArray(bool: jobs) { get($0) }
        case .texts(let get, _): parameters.addArray(text: jobs) { ArrayLiteral.of(get($0)) }
        case .headers(let get, _): parameters.addArray(text: jobs) { ArrayLiteral.of(get($0).map(\.line)) }
        }
    }
}

extension HTTPHeader {
    /// The stored form, `Name: value`, which people can edit.
    var line: String { "\(name): \(value)" }

    init?(line: String) {
        guard let colon = line.firstIndex(of: ":") else { return nil }
        let rest = line[line.index(after: colon)...]
        self.init(name: String(line[..<colon]), value: String(rest.first == " " ? rest.dropFirst() : rest))
    }
}

/// PostgreSQL's text form of arrays (documentation, section 8.15.2).
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
