internal import ArgumentParser
internal import CarillonCron
internal import CarillonJSON

struct CronCheck: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check expressions and print one line of JSON for each.",
        discussion: """
            Takes the expressions from the command line, or from standard input, one a line. Each result is printed immediately.

              carillon cron check '*/5 * * * *' '10/5 * * * *'
              cut -f1 schedules.tsv | carillon cron check

              {"expression":"@daily","valid":true,"error":null,"canonical":"0 0 0 * * *","description":"At 00:00:00"}

            For an invalid expression with a clear meaning, suggestion is the corrected expression. For a valid expression that \
            other schedulers interpret differently, note explains the difference.

            Exits with status 0 if all expressions are valid, and with 65 otherwise. --output table prints a table.
            """
    )

    @Argument(
        parsing: .remaining,
        help: ArgumentHelp(
            "Expressions, each in quotes; without expressions, standard input is read.",
            valueName: "expression"
        )
    )
    var expressions: [String] = []

    @OptionGroup
    var output: OutputOptions

    func run(in world: World) throws {
        var table = Table(layout: .checks, width: world.terminalWidth, style: Style(isOn: world.usesColor))
        var allAreValid = true
        func write(_ texts: [String]) throws {
            let checks = texts.map { CronCheck.check($0) }
            allAreValid = allAreValid && checks.allSatisfy { $0["valid"] == true }
            // The default is JSON lines for programs, also when CARILLON_OUTPUT is table.
            try world.write(
                output.output == .table ? table.lines(of: checks) : checks.map { JSONText.write($0) + "\n" }.joined()
            )
        }
        if expressions.isEmpty {
            var lines = InputLines(read: world.readPart)
            while let part = try lines.next() { try write(part.map { String(decoding: $0, as: UTF8.self) }) }
        } else {
            try write(expressions)
        }
        if !allAreValid { throw ExitCode(ExitStatus.invalidData.rawValue) }
    }

    static func check(_ text: String) -> JSONValue {
        do throws(CronError) {
            let expression = try CronExpression(text)
            return .object(
                [
                    JSONValue.Member("expression", .string(text)), .init("valid", true), .init("error", nil),
                    .init("canonical", .string(expression.canonical)),
                    .init("description", .string(expression.explained())),
                ] + (expression.note.map { [.init("note", .string($0))] } ?? [])
            )
        } catch {
            return .object(
                [
                    JSONValue.Member("expression", .string(text)), .init("valid", false),
                    .init("error", .string(error.message)),
                    .init("canonical", nil), .init("description", nil),
                ] + (error.suggestion.map { [.init("suggestion", .string($0))] } ?? [])
            )
        }
    }
}

extension Table.Layout {
    fileprivate static let checks = Table.Layout(columns: [
        .init(title: "VALID", value: { ValueFormat.text($0["valid"]) }, colour: { $0 == "no" ? .red : nil }),
        .init(title: "EXPRESSION", shrinks: true, minimum: 20, value: { ValueFormat.text($0["expression"]) }),
        .init(
            title: "WHAT IT SAYS",
            shrinks: true,
            value: { check in
                let error = ValueFormat.text(check["error"])
                return error.isEmpty ? ValueFormat.text(check["description"]) : error
            }
        ),
    ])
}
