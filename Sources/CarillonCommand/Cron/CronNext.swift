internal import ArgumentParser
internal import CarillonJSON

struct CronNext: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "next",
        abstract: "Show the due times of an expression.",
        discussion: """
            With --output json, prints an array of RFC 3339 strings in UTC; empty if the expression is never due.

              carillon cron next '0 0 9 * * MON-FRI' --time-zone Europe/Berlin --count 3
              carillon cron next '0 0 29 2 *' --from 2095-01-01T00:00:00Z -o json
              carillon cron next @hourly --reverse

            With --stdin, reads lines of JSON and immediately writes one result line for each: {"times":[...]} or \
            {"error":"..."}. An error in a line does not change the exit status. A line must have the member \
            expression, and may have time_zone, from, count, reverse and dst_policy:

              {"expression":"0 9 * * *","time_zone":"Europe/Berlin","count":2}
            """
    )

    @OptionGroup
    var expression: ExpressionArgument

    @OptionGroup
    var options: CronOptions

    @Flag(name: .customLong("reverse"), help: "List the due times before --from, latest first.")
    var reverse = false

    @Flag(name: .customLong("stdin"), help: "Read lines of JSON from standard input.")
    var readsInput = false

    @OptionGroup
    var output: OutputOptions

    func validate() throws {
        if readsInput, !expression.words.isEmpty {
            throw ValidationError("--stdin takes no expression argument; put the expressions in the lines")
        }
    }

    func run(in world: World) throws {
        if readsInput { return try answerLines(in: world) }
        let query = try options.query(try expression.text("carillon cron next"), reverse: reverse, in: world)
        switch try output.format(in: world) {
        case .json: try world.write(JSONText.write(.array(query.utc), pretty: true) + "\n")
        case .table: try world.writeDueTimes(of: query)
        }
    }

    private func answerLines(in world: World) throws {
        var lines = InputLines(read: world.readPart)
        while let part = try lines.next() {
            var text = ""
            for line in part { text += JSONText.write(CronQuery.answer(to: line, in: world)) + "\n" }
            try world.write(text)
        }
    }
}

extension World {
    func writeDueTimes(of query: CronQuery) throws(OutputProblem) {
        var table = Table(layout: .dueTimes, width: terminalWidth, style: Style(isOn: usesColor))
        let rows = query.rows
        try write(rows.isEmpty ? "never\n" : table.lines(of: rows))
        if rows.isEmpty, let reason = query.neverReason { writeError("never due: \(reason)\n") }
    }
}

extension Table.Layout {
    static let dueTimes = Table.Layout(columns: [
        .init(title: "DAY", value: { ValueFormat.text($0["weekday"]) }),
        .init(title: "LOCAL TIME", value: { ValueFormat.text($0["local_time"]) }),
        .init(title: "ZONE", value: { ValueFormat.text($0["abbreviation"]) }),
        .init(title: "UTC", value: { ValueFormat.text($0["time"]) }),
    ])
}
