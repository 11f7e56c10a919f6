internal import ArgumentParser
internal import CarillonSystem

/// The root of the command line.
struct Carillon: AsyncParsableCommand {
    static let version = CarillonVersion.current

    static let configuration = CommandConfiguration(
        commandName: "carillon",
        abstract: "Calls HTTP endpoints on time: the command line of the Carillon scheduler.",
        discussion: """
            A first job, and what became of it:

              carillon job create --name hello --schedule '*/5 * * * * *' --url http://127.0.0.1:9000/hook
              carillon execution watch hello
              carillon execution list hello --limit 5
              carillon execution stats hello

            The whole system on this machine, with a database of its own:

              carillon up

            Wherever a command asks for a JOB, its id or its name will do. Commands talk to a scheduler over the binary \
            protocol; only `carillon cron` needs none. Tab completion: `carillon completions --help`.

            ENVIRONMENT:
              SCHEDULERS       host:port of the schedulers, several with commas between (127.0.0.1:7070)
              CARILLON_OUTPUT  table or json (table)
              NO_COLOR         when set to something, tables have no colour

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
            UpCommand.self,
            CompletionsCommand.self,
            InternalRunCommand.self,
        ]
    )
}
