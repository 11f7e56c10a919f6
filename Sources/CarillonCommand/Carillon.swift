internal import ArgumentParser
internal import CarillonSystem

/// The root of the command line.
struct Carillon: AsyncParsableCommand {
    static let version = CarillonVersion.current

    static let configuration = CommandConfiguration(
        commandName: "carillon",
        abstract: "Calls HTTP endpoints on time: the command line of the Carillon scheduler.",
        discussion: """
            Create a first job and look at its executions:

              carillon listen 9000 &
              carillon job create --name hello --schedule '*/5 * * * * *' --url http://127.0.0.1:9000/hook
              carillon execution watch hello
              carillon execution list hello --limit 5
              carillon execution stats hello

            The whole system on this machine, with its own database:

              carillon up

            Write a JOB as its name, its id, or the end of its id as tables show it (at least \(ShortID.minimum) digits); an exact \
            name has precedence. Write an EXECUTION as its id, the end of its id, or JOB@TIME, such as report@2026-11-25T09:00:00. Tables show \
            times in the local time zone; JSON has UTC. Commands connect to a scheduler over the RPC protocol; only `carillon \
            cron` works without a scheduler. Tab completion: `carillon completions --help`.

            ENVIRONMENT:
              SCHEDULERS        host:port of the schedulers, separated by commas
              CARILLON_CONTEXT  a context of the configuration file
              CARILLON_CONFIG   the configuration file (~/.config/carillon/config.yml)
              CARILLON_OUTPUT   table or json (table)
              NO_COLOR          if not empty, tables have no colour
              TZ                the local time zone (default: the machine's)

            CONFIGURATION FILE:
              context: local
              contexts:
                local:
                  schedulers: 127.0.0.1:7070
                production:
                  schedulers: [a.example.org:7070, b.example.org:7070]

            The first of these that is set is used: --schedulers, --context, SCHEDULERS, CARILLON_CONTEXT, the context of the file, \
            127.0.0.1:7070.

            EXIT STATUS:
            \(ExitStatus.table)
            """,
        version: version,
        subcommands: [
            JobCommand.self,
            ExecutionCommand.self,
            CronCommand.self,
            ClusterCommand.self,
            PingCommand.self,
            CallCommand.self,
            ListenCommand.self,
            UpCommand.self,
            CompletionsCommand.self,
            InternalRunCommand.self,
        ]
    )
}
