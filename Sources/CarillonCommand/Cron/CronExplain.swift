internal import ArgumentParser
internal import CarillonCron
internal import CarillonJSON

struct CronExplain: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain",
        abstract: "Describe an expression in plain English.",
        discussion: """
            Prints a sentence, and the next due times with their UTC offsets.

              carillon cron explain '0 30 9 * * MON-FRI' --time-zone Europe/Berlin
              carillon cron explain '0 0 L-3 * *' --count 12 --output json
            """
    )

    @OptionGroup
    var expression: ExpressionArgument

    @OptionGroup
    var options: CronOptions

    @OptionGroup
    var output: OutputOptions

    func run(in world: World) throws {
        let query = try options.query(try expression.text("carillon cron explain"), in: world)
        let cron = query.expression
        switch try output.format(in: world) {
        case .json:
            let answer: JSONValue = [
                "expression": .string(cron.text), "canonical": .string(cron.canonical),
                "description": .string(cron.explained()), "time_zone": .string(options.timeZone),
                "dst_policy": .string(options.dstPolicy.rawValue), "times": .array(query.rows),
            ]
            try world.write(JSONText.write(answer, pretty: true) + "\n")
        case .table:
            try world.write(cron.explained() + "\n\n")
            if let note = cron.note { try world.write("Note: \(note)\n\n") }
            try world.writeDueTimes(of: query)
        }
    }
}
