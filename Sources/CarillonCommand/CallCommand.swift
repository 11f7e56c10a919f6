internal import ArgumentParser
internal import CarillonCore
internal import CarillonJSON

struct CallCommand: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "call",
        abstract: "Send any RPC request.",
        discussion: """
            Give the name of the message in proto/carillon.proto, and its fields as a JSON object (or - to read standard \
            input). The response is printed as JSON; watch_executions prints one object a line until Ctrl-C.

              carillon call --list
              carillon call --list list_executions
              carillon call get_cluster
              carillon call list_executions '{"status": ["FAILED"], "limit": 5}'
              carillon call preview_schedule '{"schedule": "0 0 9 * * MON-FRI", "time_zone": "Europe/Berlin"}'
            """
    )

    @Flag(name: .customLong("list"), help: "List the messages and their fields, or the fields of the given message.")
    var list = false

    @Argument(help: "The message, such as get_cluster.", completion: .list(MessageJSON.requestNames))
    var message: String?

    @Argument(help: ArgumentHelp("The message's fields as a JSON object, or -.", valueName: "json"))
    var arguments: String?

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        if message == nil, !list {
            throw ValidationError("a message name is missing; `carillon call --list` lists the messages")
        }
    }

    func run(in world: World) async throws {
        if list { return try writeList(in: world) }
        guard let message else { return }
        let name = TextFormat.field(message)
        try CallCommand.requireKnown(name)
        let session = try global.session(in: world)
        let text = arguments == "-" ? String(decoding: try world.readInput(), as: UTF8.self) : arguments ?? "{}"
        let value: JSONValue
        do throws(JSONText.Problem) {
            value = try JSONText.read(text)
        } catch {
            throw CommandFailure(status: .invalidData, text: "the fields of \(name) are not JSON: \(error)")
        }
        if name == "watch_executions" {
            var lines = session
            lines.format = .json
            return try await lines.watch(value)
        }
        try session.writeJSON(try await session.call(name, value))
    }

    private static func requireKnown(_ name: String) throws {
        guard MessageJSON.requestNames.contains(name) else {
            throw ClientError(
                .invalidArgument,
                "unknown request \"\(name)\"; the requests are \(MessageJSON.requestNames.joined(separator: ", "))"
            )
        }
    }

    private func writeList(in world: World) throws {
        let format = try global.format(in: world)
        var names = MessageJSON.requestNames
        if let message {
            try CallCommand.requireKnown(TextFormat.field(message))
            names = [TextFormat.field(message)]
        }
        let requests = names.map { name in
            (name: name, fields: MessageJSON.describe(name) ?? [])
        }
        switch format {
        case .json:
            let members = requests.map { request in
                let fields = request.fields.map { field -> JSONValue in
                    ["field": .string(field.field), "type": .string(field.type), "required": .bool(field.required)]
                }
                return JSONValue.Member(request.name, .array(fields))
            }
            try world.write(JSONText.write(.object(members), pretty: true) + "\n")
        case .table:
            let rows = requests.flatMap { request -> [JSONValue] in
                guard !request.fields.isEmpty else { return [["message": .string(request.name)]] }
                return request.fields.enumerated().map { index, field in
                    [
                        "message": .string(index == 0 ? request.name : ""), "field": .string(field.field),
                        "type": .string(field.type), "required": .bool(field.required),
                    ]
                }
            }
            var table = Table(layout: .requests, width: world.terminalWidth, style: Style(isOn: world.usesColor))
            try world.write(table.lines(of: rows))
        }
    }
}
