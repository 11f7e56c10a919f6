import CarillonCore
import CarillonRuntime
import CarillonSystem
import CarillonWire
import TestSupport
import Testing

@testable import CarillonScheduler

@Suite("Requests to a scheduler on an in-memory database", .timeLimit(.minutes(1)))
struct SchedulerServiceTests {
    private let database: MemoryDatabase
    private let registry = MetricsRegistry(component: "test")
    private let service: SchedulerService
    private let client: TestClient

    init() {
        database = MemoryDatabase()
        service = Self.service(on: database, registry)
        client = Self.client(of: service, 1)
    }

    private static func service(on database: MemoryDatabase, _ registry: MetricsRegistry) -> SchedulerService {
        var random = SystemRandomNumberGenerator()
        let lost = LeaseConnection()
        let service = SchedulerService(
            configuration: SchedulerConfiguration(
                dispatcher: DispatcherConfiguration(owner: UniqueID.random(using: &random)),
                version: "test"
            ),
            store: MemoryJobStore(database) { lost.service?.leaseConnectionLost($0) },
            reader: MemoryReader(database),
            zones: StubZones(),
            metrics: SchedulerMetrics(registry: registry),
            logger: quiet
        )
        lost.service = service
        return service
    }

    /// Gives the store's callback access to the service that owns the store. Set once, before the service starts.
    private final class LeaseConnection: @unchecked Sendable {
        weak var service: SchedulerService?
    }

    private static func client(of service: SchedulerService, _ connection: ConnectionID) -> TestClient {
        let client = TestClient(connection) { [service] in service.received([$0], from: $1.id) }
        service.connected(client.peer)
        return client
    }

    /// Starts the service, and returns when it leads. The status is polled, because the end of a turn cannot be awaited.
    private func lead() async throws {
        service.start(address: "one.test:7070")
        try await until("the scheduler leads") { service.status.leadership.epoch != nil }
    }

    private func until(_ what: String, _ isReached: () -> Bool) async throws {
        let deadline = SystemClock.bootTime() + 20_000
        while !isReached() {
            try #require(SystemClock.bootTime() < deadline, "not reached: \(what)")
            try await Task.sleep(for: .milliseconds(1))
        }
    }

    private func create(_ name: String? = nil) async throws -> Job {
        try await client.job(.createJob(.new(name: name), idempotencyKey: nil, fingerprint: nil))
    }

    @Test func `a job is created, read, changed, paused, resumed and deleted`() async throws {
        try await lead()
        let job = try await create("sample")
        #expect(try await client.job(.getJob(job.id)) == job)
        let updated = try await client.job(.updateJob(job.id, .priority(3), ifVersion: [job.version]))
        #expect(updated.priority == 3)
        #expect(updated.version == job.version + 1)
        let old = await client.error(.updateJob(job.id, .priority(4), ifVersion: [job.version]))
        #expect(old?.reason == .versionMismatch)
        #expect(try await client.job(.pauseJob(job.id)).active == false)
        let paused = try await client.job(.pauseJob(job.id))
        #expect(paused.version == updated.version + 1, "a second pause changes nothing")
        #expect(try await client.job(.resumeJob(job.id)).active)
        #expect(try await client.ask(.deleteJob(job.id, ifVersion: [])) == .deleted(job.id))
        let run = Request.runJob(job.id, idempotencyKey: nil, fingerprint: nil)
        for request in [.getJob(job.id), .pauseJob(job.id), run] {
            #expect(await client.error(request)?.code == .notFound)
        }
        await service.stop()
    }

    @Test func `a duplicate name is refused`() async throws {
        try await lead()
        _ = try await create("same")
        let error = await client.error(.createJob(.new(name: "same"), idempotencyKey: nil, fingerprint: nil))
        #expect(error?.reason == .nameTaken)
        await service.stop()
    }

    @Test func `a repeated create returns the job of the first`() async throws {
        try await lead()
        let request = Request.createJob(.new(), idempotencyKey: "key", fingerprint: "same")
        let first = try await client.job(request)
        #expect(try await client.job(request).id == first.id)
        let other = await client.error(.createJob(.new(), idempotencyKey: "key", fingerprint: "other"))
        #expect(other?.reason == .idempotencyKeyReused)
        await service.stop()
    }

    @Test func `many concurrent changes of one job are all made`() async throws {
        try await lead()
        let job = try await create()
        let ids = (0..<60).map { client.post(.updateJob(job.id, .priority($0), ifVersion: [])) }
        var versions: Set<Int64> = []
        for id in ids {
            guard case .job(let view) = try await client.answer(to: id) else { continue }
            versions.insert(view.job.version)
        }
        #expect(versions == Set((1...60).map { job.version + $0 }))
        await service.stop()
    }

    @Test func `a change is merged with changes made in SQL`() async throws {
        try await lead()
        let job = try await create()
        database.editByHand(job.id) { $0.description = "by hand" }
        let changed = try await client.job(.updateJob(job.id, .priority(3), ifVersion: []))
        #expect(changed.description == "by hand")
        #expect(changed.priority == 3)
        await service.stop()
    }

    @Test func `a job that was created with SQL can be run at once`() async throws {
        try await lead()
        var made = try await create()
        made.id = JobID(UniqueID(high: made.id.uuid.high, low: ~made.id.uuid.low))
        database.insertByHand(made)
        let answer = try await client.ask(.runJob(made.id, idempotencyKey: nil, fingerprint: nil))
        guard case .execution(let execution, _, _) = answer else {
            Issue.record("no execution: \(answer)")
            return
        }
        #expect(execution.jobID == made.id)
        await service.stop()
    }

    @Test func `a watch sees executions as they change, and ends with the lead`() async throws {
        try await lead()
        let job = try await create()
        let watch = client.post(.watchExecutions(job.id))
        let request = Request.runJob(job.id, idempotencyKey: nil, fingerprint: nil)
        guard case .execution(let run, _, _) = try await client.ask(request) else {
            Issue.record("no execution")
            return
        }
        _ = try await client.ask(.cancelExecution(job.id, run.id))
        await client.link.sent.first { envelope in
            guard envelope.id == watch, case .answer(.execution(let row, _, _)) = envelope.message else { return false }
            return row.id == run.id && row.status == .cancelled
        }
        let late = await client.error(.cancelExecution(job.id, run.id))
        #expect(late?.reason == .alreadyFinished)
        database.endLeaseSession()
        let end = await client.link.sent.first { envelope in
            if envelope.id == watch, case .error = envelope.message { true } else { false }
        }
        guard case .error(let error) = end.message else { return }
        #expect(error.code == .notLeader)
        await service.stop()
    }

    @Test func `a client is notified of the start and the end of a lead`() async throws {
        try await lead()
        let begin = await client.link.sent.first { envelope in
            if case .lead(_, let shards) = envelope.message { !shards.isEmpty } else { false }
        }
        guard case .lead(let lead, let shards) = begin.message else { return }
        #expect(shards == Array(0..<16) && lead.proof == .zero)
        database.endLeaseSession()
        let end = await client.link.sent.first { envelope in
            if case .lead(_, let shards) = envelope.message { shards.isEmpty } else { false }
        }
        guard case .lead(let ended, _) = end.message else { return }
        #expect(ended.epoch == lead.epoch)
        await service.stop()
    }

    @Test func `a watch of a job that never existed ends`() async throws {
        try await lead()
        let watch = client.post(.watchExecutions(JobID(UniqueID(high: 1, low: 1))))
        await #expect(throws: ClientError.self) { try await client.answer(to: watch) }
        await service.stop()
    }

    @Test func `a standby sends changes to the leader and answers reads`() async throws {
        try await lead()
        let job = try await create()
        let standby = Self.service(on: database, MetricsRegistry(component: "standby"))
        let other = Self.client(of: standby, 2)
        standby.start(address: "two.test:7070")
        try await until("the standby knows the leader") { standby.status.leaderAddress != nil }
        let refusal = await other.error(.pauseJob(job.id))
        #expect(refusal?.code == .notLeader)
        #expect(refusal?.leaderAddress == "one.test:7070")
        #expect(try await other.job(.getJob(job.id)).id == job.id)
        guard case .cluster(let view) = try await other.ask(.getCluster) else {
            Issue.record("no cluster")
            return
        }
        #expect(!view.leading)
        #expect(view.leaderAddress == "one.test:7070")
        await standby.stop()
        await service.stop()
    }

    @Test func `a scheduler that has stopped refuses changes`() async throws {
        try await lead()
        let job = try await create()
        await service.stop()
        let error = await client.error(.pauseJob(job.id))
        #expect(error?.retryable == true)
    }

    @Test func `lists, previews, refreshes and readings are answered`() async throws {
        try await lead()
        let job = try await create()
        guard case .jobList(let views, nil, 1) = try await client.ask(.listJobs(ListJobs())) else {
            Issue.record("no list")
            return
        }
        #expect(views.map(\.job.id) == [job.id])
        let request = Request.previewSchedule(PreviewSchedule(schedule: "@daily"))
        guard case .schedulePreview(let preview) = try await client.ask(request) else {
            Issue.record("no preview")
            return
        }
        #expect(preview.times.count == 10)
        guard case .scheduleRefreshed(_, let jobs) = try await client.ask(.refreshSchedule) else {
            Issue.record("no refresh")
            return
        }
        #expect(jobs == 1)
        #expect(registry.render().contains("carillon_jobs 1"))
        await service.stop()
    }
}
