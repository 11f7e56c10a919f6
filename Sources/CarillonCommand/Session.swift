internal import CarillonCore
internal import CarillonWire

/// One command's talk with the schedulers, and its output.
struct Session {
    var world: World
    var caller: any SchedulerCaller
    var format: OutputFormat

    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue {
        try await caller.call(name, arguments)
    }

    /// The id of the job that a person means by its id or its name.
    func jobID(_ reference: String) async throws(ClientError) -> String {
        if let id = UniqueID(reference) { return id.description }
        let answer = try await call("list_jobs", ["name": .string(reference), "limit": 2])
        let found = (answer["jobs"]?.array ?? []).first { $0["name"]?.string == reference }
        guard let id = found?["job_id"]?.string else {
            throw ClientError(
                .notFound,
                "there is no job \"\(reference)\"; a job is named by its id or its name (see `carillon job list`), "
                    + "a deleted one, whose history is kept, by its id alone"
            )
        }
        return id
    }

    // MARK: Output

    func write(_ text: String) {
        world.write(text)
    }

    func writeJSON(_ value: JSONValue) {
        world.write(JSONText.write(value, pretty: true) + "\n")
    }

    /// One object a line, for what never ends.
    func writeLine(_ value: JSONValue) {
        world.write(JSONText.write(value) + "\n")
    }

    var style: Style { Style(isOn: world.usesColor) }
}

/// A list that comes in pages, written while it comes.
struct PagedList {
    var request: String
    /// Without limit and cursor.
    var arguments: [JSONValue.Member]
    /// The name of the answer's list.
    var member: String
    /// Entries at most; `nil`: all.
    var count: Int?

    /// The most that a scheduler gives at a time.
    static let pageSize = 1000

    /// - Returns: whether there are more than were asked for.
    func forEachPage(
        in session: Session,
        _ body: ([JSONValue]) -> Void
    ) async throws(ClientError) -> Bool {
        var left = count ?? .max
        var cursor: String?
        while true {
            var arguments = arguments
            arguments.append(JSONValue.Member("limit", .integer(Int64(min(left, PagedList.pageSize)))))
            if let cursor { arguments.append(JSONValue.Member("cursor", .string(cursor))) }
            let answer = try await session.call(request, .object(arguments))
            let entries = answer[member]?.array ?? []
            body(entries)
            left -= entries.count
            guard let next = answer["next_cursor"]?.string, !entries.isEmpty else { return false }
            if left <= 0 { return true }
            cursor = next
        }
    }

    func write(in session: Session, as layout: Table.Layout) async throws(ClientError) {
        switch session.format {
        case .json:
            var isFirst = true
            _ = try await forEachPage(in: session) { entries in
                var text = ""
                for entry in entries {
                    text += isFirst ? "[\n  " : ",\n  "
                    isFirst = false
                    // No string in JSON has a line break of its own, so every one here is layout.
                    text += JSONText.write(entry, pretty: true).split(separator: "\n").joined(separator: "\n  ")
                }
                session.write(text)
            }
            session.write(isFirst ? "[]\n" : "\n]\n")
        case .table:
            var table = Table(layout: layout, width: session.world.terminalWidth, style: session.style)
            let hasMore = try await forEachPage(in: session) { session.write(table.lines(of: $0)) }
            if table.isEmpty { session.world.writeError("nothing found\n") }
            if hasMore { session.world.writeError("there are more: --all shows them, or a greater --limit\n") }
        }
    }
}
