internal import ArgumentParser
internal import CarillonJSON

struct JobUpdate: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "update",
        abstract: "Change a job.",
        discussion: """
            Settings that are not given do not change. --header and --tag replace all headers or tags; --clear resets a setting \
            to its default.

              carillon job update report --schedule '0 0 10 * * *' --max-retries 5
              carillon job update report --clear body --clear headers
              carillon job update report --if-version 3 --url https://example.org/v2
            """
    )

    @Argument(help: "The job's name, its id, or the end of its id.", completion: JobNames.completion)
    var job: String

    @OptionGroup(title: "Settings")
    var settings: JobSettingsOptions

    @Option(
        name: .customLong("clear"),
        parsing: .unconditionalSingleValue,
        help: ArgumentHelp(
            "A setting to reset to its default, by its API name; may be repeated.",
            valueName: "field"
        )
    )
    var cleared: [String] = []

    @Option(
        name: .customLong("if-version"),
        parsing: .unconditional,
        help: ArgumentHelp("Change the job only if it still has this version.", valueName: "number"),
        transform: WholeNumber.read
    )
    var ifVersion: Int?

    @OptionGroup(title: "Times")
    var utc: UTCOption

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: utc.format(in: world))
        var members = try settings.members(in: world, droppingNulls: false)
        for name in cleared.map({ TextFormat.field($0) }) {
            guard members.allSatisfy({ $0.name != name || $0.value == .null }) else {
                throw ValidationError("\(name) is both set and cleared; leave one of them out")
            }
            members.removeAll { $0.name == name }
            members.append(JSONValue.Member(name, .null))
        }
        guard !members.isEmpty else {
            throw ValidationError(
                "nothing to change; give a setting, for instance --schedule '0 0 9 * * *' or --clear body"
            )
        }
        let id = try await session.jobID(job)
        members.insert(JSONValue.Member("job_id", .string(id)), at: 0)
        if let ifVersion { members.append(JSONValue.Member("if_version", [.integer(Int64(ifVersion))])) }
        try await session.show(changed: try await session.call("update_job", .object(members)))
    }
}
