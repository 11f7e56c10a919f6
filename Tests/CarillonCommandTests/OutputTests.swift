import CarillonCore
import Testing

@testable import CarillonCommand

/// Commands whose standard output cannot be written.
@Suite struct OutputTests {
    static let commands: [[String]] = [
        ["--help"], ["--version"], ["job", "--help"], ["job", "list"], ["job", "list", "--all", "-o", "json"],
        ["job", "get", "report"], ["job", "get", "report", "-o", "json"], ["job", "delete", "report"],
        ["job", "pause", "report"], ["job", "run", "report", "-o", "json"],
        ["job", "create", "--schedule", "@daily", "--url", "http://x"], ["execution", "list"],
        ["execution", "list", "-o", "json"], ["execution", "get", "report", Sample.executionID],
        ["execution", "stats", "report"], ["execution", "stats", "report", "-o", "json"], ["cluster"],
        ["cluster", "-o", "json"], ["ping", "--count", "1"], ["ping", "--count", "1", "-o", "json"],
        ["call", "--list"],
        ["call", "--list", "-o", "json"], ["call", "get_cluster"], ["cron", "next", "@daily"],
        ["cron", "next", "@daily", "-o", "json"], ["cron", "explain", "@daily"],
        ["cron", "explain", "@daily", "-o", "json"], ["cron", "check", "@daily"], ["completions", "bash"],
    ]

    @Test(arguments: commands)
    func aWriteThatFailsFailsTheCommand(arguments: [String]) async {
        let outcome = await run(arguments, writeProblem: .failed("No space left on device"))
        #expect(outcome.status == 74)
        #expect(outcome.errors == "error: standard output cannot be written: No space left on device\n")
    }

    @Test(arguments: commands)
    func aReaderThatHasSeenEnoughIsNoFailure(arguments: [String]) async {
        let outcome = await run(arguments, writeProblem: .closed)
        #expect(outcome.status == 0 && outcome.errors == "")
    }

    @Test(arguments: [["execution", "watch"], ["execution", "watch", "-o", "json"]])
    func aWatch(arguments: [String]) async {
        let scheduler = FakeScheduler(watched: [Sample.execution()], Sample.answer)
        let outcome = await run(arguments, scheduler: scheduler, writeProblem: .failed("broken"))
        #expect(outcome.status == 74)
    }

    /// The requests are sent before the output fails.
    @Test func severalJobsAreDoneAllTheSame() async {
        let store = JobStore(jobs: [
            JobStore.job("019abcde-0000-7000-8000-0000aabbcc01", "a"),
            JobStore.job("019abcde-0000-7000-8000-0000aabbcc02", "b"),
        ])
        let outcome = await run(["job", "delete", "a", "b"], scheduler: store.scheduler, writeProblem: .closed)
        #expect(outcome.requests.filter { $0.name == "delete_job" }.count == 2)
    }
}
