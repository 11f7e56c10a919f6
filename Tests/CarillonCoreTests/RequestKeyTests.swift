import CarillonCore
import Testing

@Suite("Requests with idempotency keys")
struct RequestKeyTests {
    private static let id = RequestBench.id

    private func create(_ key: String?, _ fingerprint: String? = "f") -> Request {
        .createJob(RequestBench.newJob, idempotencyKey: key, fingerprint: fingerprint)
    }

    private func run(_ key: String?) -> Request { .runJob(Self.id, idempotencyKey: key, fingerprint: nil) }

    private func record(_ operation: String, _ fingerprint: String, _ answer: UniqueID) -> IdempotencyRecord {
        IdempotencyRecord(
            operation: operation,
            key: "k",
            fingerprint: fingerprint,
            answer: answer,
            expiresAt: Timestamp(seconds: 1_900_000_000)
        )
    }

    @Test("a create without a key is sent immediately")
    func withoutKey() {
        var bench = RequestBench()
        let requestID = bench.ask(create(nil))
        guard case .create(let planned, nil)? = bench.changes.first else {
            Issue.record("no create: \(bench.actions)")
            return
        }
        #expect(planned.job.call.url == "http://target.test/")
        #expect(planned.job.id.uuid.high >> 16 == UInt64(bench.now.milliseconds), "the id starts with the time")
        bench.tell(.changed(requestID, .job(planned.job)))
        #expect(bench.job == planned.job)
        let refused = bench.ask(create(nil))
        bench.tell(.changed(refused, .refused(ClientError(.alreadyExists, "taken", reason: .nameTaken))))
        #expect(bench.error?.reason == .nameTaken)
        let unexpected = bench.ask(create(nil))
        bench.tell(.changed(unexpected, .stale))
        #expect(bench.error?.code == .internal)
    }

    @Test("an invalid create is rejected before anything is read")
    func invalid() {
        var bench = RequestBench()
        bench.ask(.createJob(JobSettings(), idempotencyKey: "k", fingerprint: nil))
        #expect(bench.error?.code == .invalidArgument)
        #expect(bench.error?.errors.map(\.field) == ["schedule", "api_url"])
        bench.ask(create("k"))
        #expect(bench.reads.count == 1, "the rejected request does not hold the key")
    }

    @Test("a new key is written with the change")
    func newKey() {
        var bench = RequestBench()
        let requestID = bench.ask(create("k"))
        #expect(bench.reads == [.idempotencyKey(operation: "create_job", key: "k")])
        bench.tell(.read(requestID, .idempotencyKey(nil)))
        guard case .create(let planned, let record?)? = bench.changes.first else {
            Issue.record("no create with a key: \(bench.actions)")
            return
        }
        #expect(record.answer == planned.job.id.uuid)
        #expect(record.fingerprint == "f")
        #expect(record.expiresAt == bench.now + 86_400_000)
    }

    @Test("a run with a new key reads only the key")
    func newKeyOfRun() {
        var bench = RequestBench()
        let requestID = bench.ask(run("k"))
        #expect(bench.reads == [.idempotencyKey(operation: "run_job", key: "k")])
        bench.tell(.read(requestID, .idempotencyKey(nil)))
        guard case .run(_, let record?, _)? = bench.changes.first else {
            Issue.record("no run with a key: \(bench.actions)")
            return
        }
        #expect(record.key == "k" && record.fingerprint.isEmpty)
    }

    @Test("a repeated create is answered with the job, even if it is deleted")
    func repeatedCreate() {
        for row in [RequestBench.sampleJob(version: 9), RequestBench.sampleJob(isDeleted: true)] {
            var bench = RequestBench()
            let requestID = bench.ask(create("k"))
            bench.tell(.read(requestID, .idempotencyKey(record("create_job", "f", Self.id.uuid))))
            #expect(bench.reads == [.job(Self.id)])
            bench.tell(.read(requestID, .job(row)))
            #expect(bench.job == row)
            #expect(bench.machine.inconsistency == nil)
        }
    }

    @Test("a repeated run is answered with the execution")
    func repeatedRun() {
        var bench = RequestBench()
        let requestID = bench.ask(run("k"))
        bench.tell(.read(requestID, .idempotencyKey(record("run_job", "", RequestBench.executionID.uuid))))
        #expect(bench.reads == [.execution(RequestBench.executionID, of: Self.id)])
        bench.tell(.read(requestID, .execution(RequestBench.sampleExecution(), failedAttempts: [])))
        #expect(bench.answer == .execution(RequestBench.sampleExecution(), failedAttempts: [], url: nil))
    }

    @Test("the result of the first request may no longer exist")
    func gone() {
        var bench = RequestBench()
        var requestID = bench.ask(create("k"))
        bench.tell(.read(requestID, .idempotencyKey(record("create_job", "f", Self.id.uuid))))
        bench.tell(.read(requestID, .job(nil)))
        #expect(bench.error?.code == .notFound)
        requestID = bench.ask(run("k"))
        bench.tell(.read(requestID, .idempotencyKey(record("run_job", "", RequestBench.executionID.uuid))))
        bench.tell(.read(requestID, .execution(nil, failedAttempts: [])))
        #expect(bench.error?.code == .notFound)
        requestID = bench.ask(run("k"))
        bench.tell(.read(requestID, .idempotencyKey(record("run_job", "", RequestBench.executionID.uuid))))
        bench.tell(.read(requestID, .job(nil)))
        #expect(bench.error?.code == .internal)
    }

    @Test("a key of another request is rejected")
    func reused() {
        var bench = RequestBench()
        let requestID = bench.ask(create("k"))
        bench.tell(.read(requestID, .idempotencyKey(record("create_job", "other", Self.id.uuid))))
        #expect(bench.error?.code == .alreadyExists)
        #expect(bench.error?.reason == .idempotencyKeyReused)
    }

    @Test("a key is in use until its request ends, separately for each operation")
    func inUse() {
        var bench = RequestBench()
        let first = bench.ask(create("k"), from: 1)
        bench.ask(create("k"), from: 2)
        #expect(bench.error?.reason == .idempotencyKeyInUse)
        #expect(bench.error?.retryable == true)
        let run = bench.ask(run("k"))
        #expect(bench.reads.count == 1)
        bench.tell(.read(first, .failed(ReadError("away"))))
        #expect(bench.error?.code == .unavailable)
        let again = bench.ask(create("k"), from: 1)
        #expect(bench.reads.count == 1)
        bench.tell(.connectionEnded(1))
        #expect(Set(bench.replies.map(\.requestID)) == [run, again])
        #expect(bench.machine.inconsistency == nil)
        #expect(bench.machine.openCount == 0)
    }

    @Test("the lead may end during the lookup of the key")
    func leadLost() {
        var bench = RequestBench()
        let requestID = bench.ask(create("k"))
        bench.tell(.leadershipChanged(.standingBy(leader: nil)))
        #expect(bench.error?.code == .notLeader)
        bench.tell(.read(requestID, .idempotencyKey(nil)))
        #expect(bench.changes.isEmpty)
    }

    @Test("a key has 1 to 255 bytes", arguments: ["", String(repeating: "k", count: 256)])
    func length(key: String) {
        for request in [create(key), run(key)] {
            var bench = RequestBench()
            bench.ask(request)
            #expect(bench.error?.errors.map(\.field) == ["idempotency_key"])
        }
        var bench = RequestBench()
        bench.ask(create(String(repeating: "k", count: 255)))
        #expect(bench.error == nil)
    }
}
