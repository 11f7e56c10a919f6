import CarillonCore
import CarillonJSON
import CarillonWire
import Synchronization
import Testing

@testable import CarillonCommand

/// Commands for several jobs, the confirmation of a deletion, and the wait for an outcome.
@Suite struct SeveralJobsTests {
    private static let ids = ["019abcde-0000-7000-8000-0000aabbcc01", "019abcde-0000-7000-8000-0000ddeeff02"]
    private let store = JobStore(jobs: [JobStore.job(ids[0], "report"), JobStore.job(ids[1], "backup")])

    @Test(arguments: ["pause", "resume", "run", "delete"])
    func eachIsDone(verb: String) async {
        let outcome = await run(["job", verb, "report", "ddeeff02", "backup"], scheduler: store.scheduler)
        #expect(outcome.status == 0, "\(outcome.errors)")
        let done = outcome.requests.filter { $0.name == "\(verb)_job" }
        // A job that is given twice is handled once.
        #expect(done.map { $0.arguments["job_id"]?.string } == Self.ids)
        #expect(outcome.output.split(separator: "\n").count == (verb == "delete" ? 2 : 3), "\(outcome.output)")
        let json = await run(["job", verb, "report", "backup", "-o", "json"], scheduler: store.scheduler)
        #expect(json.json?.array?.count == 2)
    }

    @Test(arguments: ["pause", "resume", "run", "delete"])
    func nothingIsDoneWhenOneIsNotThere(verb: String) async {
        let outcome = await run(["job", verb, "report", "reprot"], scheduler: store.scheduler)
        #expect(outcome.status == 66 && outcome.errors.contains("\"reprot\""))
        #expect(outcome.requests.allSatisfy { $0.name == "list_jobs" })
    }

    @Test func failureOfOneJobDoesNotStopTheOthers() async {
        let store = store
        let scheduler = FakeScheduler { name, arguments throws(ClientError) in
            if name == "pause_job", arguments["job_id"]?.string == Self.ids[0] {
                throw ClientError(.internal, "broken")
            }
            return try store.answer(name, arguments)
        }
        let outcome = await run(["job", "pause", "report", "backup", "-o", "json"], scheduler: scheduler)
        #expect(outcome.status == 70 && outcome.errors == "error: report: broken\n")
        #expect(outcome.json?["name"] == "backup")
    }

    @Test(arguments: [
        (["delete", "--if-version", "2"], "--if-version applies to a single job"),
        (["run", "--idempotency-key", "k"], "--idempotency-key applies to a single execution"),
    ])
    func optionsThatNeedASingleJob(arguments: [String], error: String) async {
        let outcome = await run(["job"] + arguments + ["report", "backup"], scheduler: store.scheduler)
        #expect(outcome.status == 64 && outcome.errors.contains(error) && outcome.requests.isEmpty)
    }

    // MARK: Deletion

    @Test(arguments: [
        ("y\n", true), ("YES\n", true), ("n\n", false), ("\n", false), ("", false), ("yes please\n", false),
    ])
    func aTerminalIsAsked(answer: String, isDeleted: Bool) async {
        let outcome = await run(
            ["job", "delete", "report"],
            scheduler: store.scheduler,
            input: answer.isEmpty ? [] : [answer],
            isInteractive: true
        )
        #expect(outcome.errors.hasPrefix("Delete the job report (\(Self.ids[0]))? [y/N] "))
        #expect(outcome.requests.contains { $0.name == "delete_job" } == isDeleted)
        #expect(outcome.status == (isDeleted ? 0 : 1))
        #expect(outcome.output == (isDeleted ? "deleted \(Self.ids[0])\n" : ""))
    }

    @Test func theQuestionNamesAll() async {
        let outcome = await run(
            ["job", "delete", Self.ids[0], "backup"],
            scheduler: store.scheduler,
            input: ["n\n"],
            isInteractive: true
        )
        #expect(outcome.errors.hasPrefix("Delete 2 jobs: \(Self.ids[0]), backup (\(Self.ids[1]))? [y/N] "))
    }

    @Test func aScriptAndYesAreNotAsked() async {
        #expect(await run(["job", "delete", "report"], scheduler: store.scheduler).errors == "")
        let yes = await run(["job", "delete", "report", "--yes"], scheduler: store.scheduler, isInteractive: true)
        #expect(yes.status == 0 && yes.errors == "")
    }

    // MARK: Waiting

    /// Returns these statuses one after the other.
    private func running(_ statuses: [String]) -> FakeScheduler {
        let left = Mutex(statuses)
        return FakeScheduler { name, _ throws(ClientError) in
            if name == "run_job" { return Sample.execution("PENDING") }
            guard name == "get_execution" else { return ["jobs": [Sample.job]] }
            return Sample.execution(left.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] })
        }
    }

    @Test(arguments: [
        ("SUCCESS", 0 as Int32), ("FAILED", 1), ("CANCELLED", 1), ("UNKNOWN", 1), ("SKIPPED", 1),
    ])
    func waitingForTheOutcome(status: String, exit: Int32) async {
        let scheduler = running(["PENDING", "RUNNING", "RETRYING", status])
        let outcome = await run(["job", "run", "report", "--wait", "-o", "json"], scheduler: scheduler)
        #expect(outcome.status == exit && outcome.errors == "")
        #expect(outcome.json?["status"]?.string == status)
        #expect(outcome.requests.filter { $0.name == "get_execution" }.count == 4)
    }

    @Test func withoutWaitNothingIsAsked() async {
        let outcome = await run(["job", "run", "report"], scheduler: running(["FAILED"]))
        #expect(outcome.status == 0 && !outcome.requests.contains { $0.name == "get_execution" })
    }

    @Test func aWaitThatBreaksOffNamesTheExecution() async {
        let scheduler = FakeScheduler { name, _ throws(ClientError) in
            if name == "get_execution" { throw ClientError(.unavailable, "nobody leads") }
            return name == "run_job" ? Sample.execution("PENDING") : ["jobs": [Sample.job]]
        }
        let outcome = await run(["job", "run", "report", "--wait"], scheduler: scheduler)
        #expect(outcome.status == 69 && outcome.errors.hasPrefix("the execution \(Sample.executionID) of "))
    }
}
