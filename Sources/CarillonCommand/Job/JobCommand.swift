internal import ArgumentParser

/// `carillon job …`
struct JobCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "job",
        abstract: "Create, change, run and show jobs.",
        discussion: """
            A job defines a URL to call and a schedule. Write JOB as its name, its id, or the end of its id.

              carillon job create --name report --schedule '0 0 9 * * MON-FRI' --time-zone Europe/Berlin \\
                  --url https://example.org/report --header 'Authorization: Bearer secret'
              carillon job update report --schedule '0 30 9 * * MON-FRI'
              carillon job pause report
            """,
        subcommands: [
            JobCreate.self, JobList.self, JobGet.self, JobUpdate.self, JobDelete.self, JobPause.self, JobResume.self,
            JobRun.self,
        ],
        aliases: ["jobs"]
    )
}
