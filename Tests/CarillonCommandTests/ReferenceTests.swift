import CarillonCore
import CarillonCron
import CarillonJSON
import CarillonSystem
import Testing

@testable import CarillonCommand

/// References to jobs and executions on the command line.
@Suite struct ReferenceTests {
    private static let ids = [
        "019abcde-0000-7000-8000-0000aabbcc01", "019abcde-0000-7000-8000-0000ddeeff01",
        "019abcde-0000-7000-8000-0000aabbcc02",
    ]
    private let store = JobStore(jobs: [
        JobStore.job(ids[0], "report"), JobStore.job(ids[1], "backup"), JobStore.job(ids[2], "ddeeff01"),
    ])

    private func job(_ reference: String) async -> (id: JSONValue?, outcome: Outcome) {
        let outcome = await run(["job", "get", reference], scheduler: store.scheduler)
        return (outcome.status == 0 ? outcome.arguments?["job_id"] : nil, outcome)
    }

    @Test(arguments: [
        ("report", 0), (ids[1], 1), ("aabbcc01", 0), ("AABBCC01", 0), ("0000aabbcc02", 2), ("8000-0000aabbcc02", 2),
        ("abbcc02", 2), ("bbcc02", 2),
        // An exact name has precedence over the end of an id.
        ("ddeeff01", 2), ("0ddeeff01", 1),
    ])
    func namesAndEndsOfIds(reference: String, index: Int) async {
        let (id, outcome) = await job(reference)
        #expect(id == .string(Self.ids[index]), "\(outcome.errors)")
    }

    @Test(arguments: ["bcc02", "reprot", "ffffff", "aabbcc0", "-", ""])
    func unknownJobReference(reference: String) async {
        let (_, outcome) = await job(reference)
        #expect(
            outcome.status == 66 && outcome.errors.contains("job \"\(reference)\" does not exist"),
            "\(outcome.errors)"
        )
    }

    @Test func anEndOfSeveralIds() async {
        let store = JobStore(
            jobs: [
                JobStore.job("019abcde-0000-7000-8000-00a1aabbcc01", "a"),
                JobStore.job("019abcde-0000-7000-8000-00a2aabbcc01", nil),
            ],
            pageSize: 1
        )
        let outcome = await run(["job", "delete", "aabbcc01"], scheduler: store.scheduler)
        #expect(outcome.status == 65 && !outcome.requests.contains { $0.name == "delete_job" })
        #expect(
            outcome.errors.contains("019abcde-0000-7000-8000-00a1aabbcc01 (a), 019abcde-0000-7000-8000-00a2aabbcc01")
        )
        let longer = await run(["job", "delete", "a2aabbcc01"], scheduler: store.scheduler)
        #expect(longer.status == 0 && longer.arguments?["job_id"] == "019abcde-0000-7000-8000-00a2aabbcc01")
    }

    // MARK: Executions

    private static let executions = [
        JobStore.execution("019aba3f-1000-8000-8000-000000000aa1", job: ids[0], at: "2026-11-25T09:00:00Z"),
        JobStore.execution("019aba08-2480-8000-8000-000000000aa2", job: ids[1], at: "2026-11-25T08:00:00Z"),
        JobStore.execution("019aba08-2480-8000-8000-000000000aa3", job: ids[0], at: "2026-11-25T08:00:00Z"),
        JobStore.execution("019aba08-2563-8000-8000-000000000aa4", job: ids[0], at: "2026-11-25T08:00:00.227Z"),
        JobStore.execution("019ab9d1-3600-8000-8000-000000000aa5", job: ids[0], at: "2026-11-25T07:00:00Z"),
    ]

    private func execution(_ words: [String], zone: TimeZoneRules = .utc) async -> Outcome {
        var store = store
        store.executions = Self.executions
        return await run(["execution", "get"] + words, scheduler: store.scheduler, localZone: zone)
    }

    @Test(arguments: [
        (["00000aa1"], 0), (["report", "00000aa3"], 2), (["backup", "000aa2"], 1), (["aabbcc01", "00000aa5"], 4),
        (["report@2026-11-25T09:00:00"], 0), (["report@2026-11-25T09:00:00Z"], 0), (["backup@2026-11-25 08:00:00"], 1),
        (["report@2026-11-25T08:00:00+01:00"], 4), (["report@2026-11-25T08:00:00.227"], 3),
        (["report@2026-11-25T08:00:00.000"], 2),
    ])
    func executionsByWhatTablesShow(words: [String], index: Int) async {
        let outcome = await execution(words)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.requests.last?.name == "get_execution")
        #expect(outcome.arguments?["execution_id"] == Self.executions[index]["execution_id"])
        #expect(outcome.arguments?["job_id"] == Self.executions[index]["job_id"])
    }

    @Test func aTimeIsOneOfTheZoneThatIsShown() async throws {
        let berlin = try ZoneDirectory().zone(named: "Europe/Berlin")
        let outcome = await execution(["report@2026-11-25T10:00:00"], zone: berlin)
        #expect(outcome.arguments?["execution_id"] == Self.executions[0]["execution_id"], "\(outcome.errors)")
        let utc = await execution(["report@2026-11-25T09:00:00", "--utc"], zone: berlin)
        #expect(utc.arguments?["execution_id"] == Self.executions[0]["execution_id"], "\(utc.errors)")
    }

    @Test(arguments: [
        (["report@2026-11-25T08:00:00"], 65 as Int32, "several executions match report@2026-11-25T08:00:00"),
        (["report@2026-11-25T03:00:00"], 66, "the job \"report\" has no execution at 2026-11-25T03:00:00Z"),
        (["report@noon"], 65, "\"noon\" in report@noon is not a time"),
        (["nobody@2026-11-25T08:00:00"], 66, "job \"nobody\" does not exist"),
        (["latest"], 65, "\"latest\" is not a reference to an execution"),
        (["abcdef00"], 66, "no execution has an id that ends with abcdef00"),
        (["019aba3f-1000-8000-8000-0000000000ff"], 66, "execution 019aba3f-1000-8000-8000-0000000000ff does not exist"),
        (["a", "b", "c"], 64, "write EXECUTION, or JOB and EXECUTION"),
    ])
    func unknownExecutionReference(words: [String], status: Int32, error: String) async {
        let outcome = await execution(words)
        #expect(outcome.status == status && outcome.errors.contains(error), "\(outcome.errors)")
    }

    /// The id starts with the time, so a page for that millisecond contains the execution.
    @Test func aWholeIdNeedsNoJob() async {
        let job = Self.ids[0]
        let id = ExecutionID(
            job: JobID(UniqueID(job) ?? .zero),
            scheduledTime: Timestamp(milliseconds: RFC3339.parse("2026-11-25T08:00:00.227Z") ?? 0),
            trigger: .manual
        ).description
        var store = store
        store.executions = Self.executions + [JobStore.execution(id, job: job, at: "2026-11-25T08:00:00.227Z")]
        let outcome = await run(["execution", "cancel", id], scheduler: store.scheduler)
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(
            outcome.requests == [
                .init(
                    "list_executions",
                    ["from": "2026-11-25T08:00:00.227Z", "to": "2026-11-25T08:00:00.228Z", "limit": 1000]
                ), .init("cancel_execution", ["job_id": .string(job), "execution_id": .string(id)]),
            ]
        )
    }
}
