internal import ArgumentParser
internal import CarillonCore
internal import CarillonJSON

struct JobCreate: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "create",
        abstract: "Create a job.",
        discussion: """
            Only the schedule and the URL are required; other settings have defaults. Prints the job with its time zone \
            and the next three due times.

              carillon job create --schedule '*/5 * * * * *' --url http://127.0.0.1:9000/hook
              carillon job create --name backup --schedule @daily --url https://example.org/backup \\
                  --execution-type AT_MOST_ONCE --timeout 10m --tag nightly
              carillon job create --file job.json
              carillon job get backup -o json | carillon job create --file - --name backup-2

            A file contains a JSON object with the settings under their API names (schedule, api_url, max_retries, ...).
            Times: \(TimeArgument.rule). Durations: \(DurationArgument.rule).
            With --idempotency-key the command can be repeated: the job is created once.
            """
    )

    @OptionGroup(title: "Settings")
    var settings: JobSettingsOptions

    @Flag(name: .customLong("paused"), help: "Create the job paused; `carillon job resume` starts it.")
    var paused = false

    @Option(
        name: .customLong("idempotency-key"),
        help: ArgumentHelp("A key that makes it safe to repeat the command.", valueName: "key")
    )
    var idempotencyKey: String?

    @OptionGroup(title: "Times")
    var utc: UTCOption

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: utc.format(in: world))
        var members = try settings.members(in: world, droppingNulls: true)
        if paused {
            members.removeAll { $0.name == "active" }
            members.append(JSONValue.Member("active", false))
        }
        if let idempotencyKey {
            members.append(JSONValue.Member("idempotency_key", .string(idempotencyKey)))
            members.append(JSONValue.Member("fingerprint", .string(Fingerprint.of(.object(members)))))
        }
        try await session.show(changed: try await session.call("create_job", .object(members)))
    }
}

/// A digest of a request, which distinguishes a repeated request from a different request with the same key.
enum Fingerprint {
    static func of(_ value: JSONValue) -> String {
        let digest = SHA256.digest(of: JSONText.bytes(of: value))
        return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
