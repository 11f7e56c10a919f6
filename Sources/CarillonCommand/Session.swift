internal import CarillonCore
internal import CarillonJSON

/// The connection of a command to the schedulers, and its output.
struct Session {
    var world: World
    var caller: any SchedulerCaller
    var format: OutputFormat
    var times: TimeFormat

    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue {
        try await caller.call(name, arguments)
    }

    // MARK: Output

    func write(_ text: String) throws(OutputProblem) {
        try world.write(text)
    }

    func writeJSON(_ value: JSONValue) throws(OutputProblem) {
        try world.write(JSONText.write(value, pretty: true) + "\n")
    }

    /// Writes one object a line, for output without an end.
    func writeLine(_ value: JSONValue) throws(OutputProblem) {
        try world.write(JSONText.write(value) + "\n")
    }

    var style: Style { Style(isOn: world.usesColor) }

    func table(_ layout: Table.Layout) -> Table {
        Table(layout: layout, width: world.terminalWidth, style: style, times: times)
    }
}

/// A paged list that is written while the pages arrive.
struct PagedList {
    var request: String
    /// The arguments without limit and cursor.
    var arguments: [JSONValue.Member]
    /// The name of the list in the response.
    var member: String
    /// The maximum number of entries; `nil` for all.
    var count: Int?

    /// The largest page that a scheduler returns.
    static let pageSize = 1000

    /// Reads pages until the last page, or until `body` returns `false`.
    ///
    /// - Parameter body: receives the arguments of a page's request and its entries.
    /// - Returns: whether more entries exist than were requested.
    func forEachPage(
        in session: Session,
        _ body: (JSONValue, [JSONValue]) async throws -> Bool
    ) async throws -> Bool {
        var left = count ?? .max
        var cursor: String?
        while true {
            var arguments = arguments
            arguments.append(JSONValue.Member("limit", .integer(Int64(min(left, PagedList.pageSize)))))
            if let cursor { arguments.append(JSONValue.Member("cursor", .string(cursor))) }
            let answer = try await session.call(request, .object(arguments))
            let entries = answer[member]?.array ?? []
            guard try await body(.object(arguments), entries) else { return false }
            left -= entries.count
            guard let next = answer["next_cursor"]?.string, !entries.isEmpty else { return false }
            if left <= 0 { return true }
            cursor = next
        }
    }

    /// - Parameter extended: adds further values for tables to the entries of a page; receives the arguments of the
    ///   page's request.
    func write(
        in session: Session,
        as layout: Table.Layout,
        extended: (JSONValue, [JSONValue]) async throws -> [JSONValue] = { _, entries in entries }
    ) async throws {
        switch session.format {
        case .json:
            var isFirst = true
            _ = try await forEachPage(in: session) { _, entries in
                var text = ""
                for entry in entries {
                    text += isFirst ? "[\n  " : ",\n  "
                    isFirst = false
                    // JSON strings contain no unescaped line breaks, so every line break is layout.
                    text += JSONText.write(entry, pretty: true).split(separator: "\n").joined(separator: "\n  ")
                }
                try session.write(text)
                return true
            }
            try session.write(isFirst ? "[]\n" : "\n]\n")
        case .table:
            var table = session.table(layout)
            let hasMore = try await forEachPage(in: session) { arguments, entries in
                try session.write(table.lines(of: try await extended(arguments, entries)))
                return true
            }
            if table.isEmpty { session.world.writeError("nothing found\n") }
            if hasMore { session.world.writeError("there are more results; use --all or a larger --limit\n") }
        }
    }
}
