import CarillonCore
import Testing

@Suite("How requests become changes of jobs")
struct RequestChangeTests {
    private static let id = RequestBench.id
    private static let update = Request.updateJob(id, RequestBench.priority, ifVersion: [])
    private static let run = Request.runJob(id, idempotencyKey: nil, fingerprint: nil)
    /// Requests that change an existing, active job.
    private static let changes: [Request] = [update, .deleteJob(id, ifVersion: []), .pauseJob(id)]

    /// Sends a request and answers its read with the row of the job.
    private func bench(_ request: Request, row: Job?) -> (RequestBench, RequestID) {
        var bench = RequestBench()
        let requestID = bench.ask(request)
        #expect(bench.reads == [.job(Self.id)])
        bench.tell(.read(requestID, .job(row)))
        return (bench, requestID)
    }

    // MARK: Found, not found

    @Test("a missing, deleted or unlisted job is not found", arguments: changes + [.resumeJob(id)])
    func notFound(request: Request) {
        for row in [nil, RequestBench.sampleJob(isDeleted: true), RequestBench.sampleJob(isAdHoc: true)] {
            let (bench, _) = self.bench(request, row: row)
            #expect(bench.error?.code == .notFound)
            #expect(bench.actions.count == 1)
            #expect(bench.machine.openCount == 0)
        }
    }

    @Test("an update is merged with the row and has the next version")
    func merged() throws {
        let (bench, _) = self.bench(Self.update, row: RequestBench.sampleJob(version: 3))
        guard case .update(let planned, let restarts)? = bench.changes.first else {
            Issue.record("no update: \(bench.actions)")
            return
        }
        #expect(planned.job.priority == 5)
        #expect(planned.job.name == "sample")
        #expect(planned.job.version == 4)
        #expect(planned.plan != nil)
        #expect(!restarts)
    }

    @Test("an update of the schedule restarts the schedule")
    func restarts() {
        var settings = JobSettings()
        settings.schedule = "30 * * * *"
        let (bench, _) = self.bench(.updateJob(Self.id, settings, ifVersion: []), row: RequestBench.sampleJob())
        guard case .update(_, scheduleChanged: true)? = bench.changes.first else {
            Issue.record("no restart: \(bench.actions)")
            return
        }
    }

    @Test("invalid settings are rejected with the field")
    func invalid() {
        var settings = JobSettings()
        settings.timeoutSeconds = -1
        let (bench, _) = self.bench(.updateJob(Self.id, settings, ifVersion: []), row: RequestBench.sampleJob())
        #expect(bench.error?.code == .invalidArgument)
        #expect(bench.error?.errors.map(\.field) == ["timeout_seconds"])
        #expect(bench.changes.isEmpty)
    }

    @Test("an unexpected version is rejected")
    func versionMismatch() {
        for request in [Request.updateJob(Self.id, JobSettings(), ifVersion: [3]), .deleteJob(Self.id, ifVersion: [3])]
        {
            let (refused, _) = self.bench(request, row: RequestBench.sampleJob(version: 4))
            #expect(refused.error?.reason == .versionMismatch)
            #expect(refused.changes.isEmpty)
            let (accepted, _) = self.bench(request, row: RequestBench.sampleJob(version: 3))
            #expect(accepted.changes.count == 1)
        }
    }

    @Test("a change is made if the job has one of the expected versions")
    func severalVersions() {
        let request = Request.updateJob(Self.id, RequestBench.priority, ifVersion: [2, 4])
        for version in [Int64(2), 4] {
            let (accepted, _) = self.bench(request, row: RequestBench.sampleJob(version: version))
            #expect(accepted.changes.count == 1)
        }
        let (refused, _) = self.bench(request, row: RequestBench.sampleJob(version: 3))
        #expect(refused.error?.reason == .versionMismatch && refused.error?.text.contains("not 2 or 4") == true)
        #expect(refused.changes.isEmpty)
    }

    @Test("pause and resume read once, and change nothing if the job is already in that state")
    func pauseAndResume() {
        let (pause, _) = self.bench(.pauseJob(Self.id), row: RequestBench.sampleJob(version: 2))
        guard case .pause(let paused)? = pause.changes.first, pause.actions.count == 1 else {
            Issue.record("no pause: \(pause.actions)")
            return
        }
        #expect(paused.version == 3)
        let (resume, _) = self.bench(.resumeJob(Self.id), row: RequestBench.sampleJob(version: 2, active: false))
        guard case .resume(let resumed)? = resume.changes.first, resume.actions.count == 1 else {
            Issue.record("no resume: \(resume.actions)")
            return
        }
        #expect(resumed.job.version == 3)
        #expect(resumed.plan != nil)
        for (request, active) in [(Request.pauseJob(Self.id), false), (.resumeJob(Self.id), true)] {
            let (bench, _) = self.bench(request, row: RequestBench.sampleJob(version: 2, active: active))
            #expect(bench.job?.version == 2)
            #expect(bench.changes.isEmpty)
        }
    }

    // MARK: The dispatcher's answer

    @Test("the dispatcher's answer is the reply")
    func answers() {
        var (bench, requestID) = self.bench(Self.update, row: RequestBench.sampleJob())
        bench.tell(.changed(requestID, .job(RequestBench.sampleJob(version: 2))))
        #expect(bench.job?.version == 2)
        (bench, requestID) = self.bench(.deleteJob(Self.id, ifVersion: []), row: RequestBench.sampleJob())
        bench.tell(.changed(requestID, .deleted(Self.id)))
        #expect(bench.answer == .deleted(Self.id))
        requestID = bench.ask(Self.run)
        bench.tell(.changed(requestID, .execution(RequestBench.sampleExecution(.pending))))
        #expect(bench.answer == .execution(RequestBench.sampleExecution(.pending), failedAttempts: [], url: nil))
        #expect(bench.machine.openCount == 0)
    }

    @Test("a refusal is passed on", arguments: changes)
    func refused(request: Request) {
        var (bench, requestID) = self.bench(request, row: RequestBench.sampleJob())
        bench.tell(.changed(requestID, .refused(ClientError(.alreadyExists, "taken", reason: .nameTaken))))
        #expect(bench.error?.reason == .nameTaken)
        #expect(bench.machine.openCount == 0)
    }

    @Test("an answer that does not match the request is an internal error", arguments: changes)
    func unexpected(request: Request) {
        var (bench, requestID) = self.bench(request, row: RequestBench.sampleJob())
        bench.tell(.changed(requestID, .notOpen))
        #expect(bench.error?.code == .internal)
    }

    // MARK: Stale

    @Test("a stale change is read and merged again immediately, and sent after the row", arguments: changes)
    func stale(request: Request) {
        var (bench, requestID) = self.bench(request, row: RequestBench.sampleJob(version: 1))
        #expect(bench.refreshed.isEmpty)
        bench.tell(.changed(requestID, .stale))
        #expect(bench.reads == [.job(Self.id)])
        bench.tell(.read(requestID, .job(RequestBench.sampleJob(version: 5))))
        #expect(bench.refreshed.map(\.version) == [5])
        #expect(bench.changes.count == 1)
        guard case .refresh = bench.actions.first else {
            Issue.record("the change comes first: \(bench.actions)")
            return
        }
    }

    @Test("an expected version is checked again after a stale answer")
    func staleWithVersion() {
        let request = Request.updateJob(Self.id, RequestBench.priority, ifVersion: [1])
        var (bench, requestID) = self.bench(request, row: RequestBench.sampleJob(version: 1))
        bench.tell(.changed(requestID, .stale))
        bench.tell(.read(requestID, .job(RequestBench.sampleJob(version: 2))))
        #expect(bench.error?.reason == .versionMismatch)
    }

    @Test("a job deleted in between is not found", arguments: changes)
    func staleAndGone(request: Request) {
        var (bench, requestID) = self.bench(request, row: RequestBench.sampleJob())
        bench.tell(.changed(requestID, .stale))
        bench.tell(.read(requestID, .job(RequestBench.sampleJob(isDeleted: true))))
        #expect(bench.error?.code == .notFound)
    }

    @Test("a request fails after a limited number of stale answers", arguments: changes)
    func alwaysStale(request: Request) {
        var (bench, requestID) = self.bench(request, row: RequestBench.sampleJob())
        for version in 2...21 as ClosedRange<Int64> {
            bench.tell(.changed(requestID, .stale))
            bench.tell(.read(requestID, .job(RequestBench.sampleJob(version: version))))
            #expect(bench.changes.count == 1)
        }
        bench.tell(.changed(requestID, .stale))
        #expect(bench.error?.code == .unavailable)
        #expect(bench.machine.openCount == 0)
    }

    // MARK: Run

    @Test("a run reads nothing if the dispatcher knows the job")
    func runKnownJob() {
        var bench = RequestBench()
        let requestID = bench.ask(Self.run)
        guard case .run(Self.id, nil, let nonce)? = bench.changes.first, bench.actions.count == 1 else {
            Issue.record("no run: \(bench.actions)")
            return
        }
        #expect(nonce != .zero)
        bench.tell(.changed(requestID, .refused(ClientError(.failedPrecondition, "open", reason: .overlap))))
        #expect(bench.error?.reason == .overlap)
    }

    @Test("a run of a job that the dispatcher does not know reads the row once")
    func runUnknownJob() {
        for row in [nil, RequestBench.sampleJob(isDeleted: true), RequestBench.sampleJob(isAdHoc: true)] {
            var bench = RequestBench()
            let requestID = bench.ask(Self.run)
            bench.tell(.changed(requestID, .stale))
            #expect(bench.reads == [.job(Self.id)])
            bench.tell(.read(requestID, .job(row)))
            #expect(bench.error?.code == .notFound)
        }
        var bench = RequestBench()
        let requestID = bench.ask(Self.run)
        bench.tell(.changed(requestID, .stale))
        bench.tell(.read(requestID, .job(RequestBench.sampleJob(version: 3))))
        #expect(bench.refreshed.map(\.version) == [3])
        guard case .run(Self.id, nil, _)? = bench.changes.first else {
            Issue.record("no run: \(bench.actions)")
            return
        }
        for _ in 0..<19 {
            bench.tell(.changed(requestID, .stale))
            bench.tell(.read(requestID, .job(RequestBench.sampleJob(version: 3))))
        }
        bench.tell(.changed(requestID, .stale))
        #expect(bench.error?.code == .unavailable)
    }

    // MARK: One change of a job at a time

    @Test("changes of one job are processed one after the other")
    func line() {
        var bench = RequestBench()
        let first = bench.ask(Self.update, from: 1)
        let second = bench.ask(.pauseJob(Self.id), from: 2)
        #expect(bench.actions.isEmpty)
        let third = bench.ask(Self.update, from: 3)
        bench.tell(.read(first, .job(RequestBench.sampleJob(version: 1))))
        #expect(bench.machine.inconsistency == nil)
        bench.tell(.connectionEnded(3))
        #expect(bench.replies.map(\.requestID) == [third])
        bench.tell(.changed(first, .job(RequestBench.sampleJob(version: 2))))
        #expect(bench.replies.map(\.requestID) == [first])
        #expect(bench.readers == [second])
        bench.tell(.read(second, .job(RequestBench.sampleJob(version: 2))))
        guard case .pause(let job)? = bench.changes.first else {
            Issue.record("no pause: \(bench.actions)")
            return
        }
        #expect(job.version == 3)
        bench.tell(.changed(second, .job(job)))
        #expect(bench.machine.openCount == 0)
        #expect(bench.machine.inconsistency == nil)
    }

    @Test("changes of different jobs do not wait for each other")
    func otherJob() {
        var bench = RequestBench()
        bench.ask(Self.update)
        bench.ask(.pauseJob(JobID(UniqueID(high: 1, low: 2))))
        #expect(bench.reads.count == 1)
        bench.ask(.getJob(Self.id))
        #expect(bench.reads.count == 1)
    }

    @Test("the end of the lead ends queued changes without reading for them")
    func lineEnds() {
        var bench = RequestBench()
        let requestIDs = (0..<3).map { _ in bench.ask(Self.update) }
        bench.tell(.leadershipChanged(.standingBy(leader: nil)))
        #expect(Set(bench.replies.map(\.requestID)) == Set(requestIDs))
        #expect(bench.reads.isEmpty)
        #expect(bench.machine.inconsistency == nil)
    }

    // MARK: Cancel, execute

    @Test("a cancel reads only if the execution is not in memory")
    func cancel() {
        let request = Request.cancelExecution(Self.id, RequestBench.executionID)
        var bench = RequestBench()
        var requestID = bench.ask(request)
        guard case .cancel(Self.id, RequestBench.executionID)? = bench.changes.first else {
            Issue.record("no cancel: \(bench.actions)")
            return
        }
        bench.tell(.changed(requestID, .execution(RequestBench.sampleExecution(.cancelled))))
        #expect(bench.answer == .execution(RequestBench.sampleExecution(.cancelled), failedAttempts: [], url: nil))
        let rows: [(Execution?, ClientError.Code)] = [
            (RequestBench.sampleExecution(.success), .failedPrecondition), (nil, .notFound),
        ]
        for (row, code) in rows {
            requestID = bench.ask(request)
            bench.tell(.changed(requestID, .notOpen))
            #expect(bench.reads == [.execution(RequestBench.executionID, of: Self.id)])
            bench.tell(.read(requestID, .execution(row, failedAttempts: [])))
            #expect(bench.error?.code == code)
            #expect(bench.error?.reason == (row == nil ? nil : .alreadyFinished))
        }
        requestID = bench.ask(request)
        bench.tell(.changed(requestID, .stale))
        #expect(bench.error?.code == .internal)
    }

    @Test("an immediate call is answered with its URL, and not retried if a client waits", arguments: [true, false])
    func executeNow(wait: Bool) {
        var settings = JobSettings()
        settings.url = "http://target.test/now"
        var bench = RequestBench()
        let requestID = bench.ask(.executeNow(settings, wait: wait))
        guard case .executeNow(let planned, wait, _)? = bench.changes.first else {
            Issue.record("no call: \(bench.actions)")
            return
        }
        #expect(planned.job.isAdHoc)
        #expect(planned.job.maxRetries == (wait ? 0 : JobDefaults().maxRetries))
        bench.tell(.changed(requestID, .execution(RequestBench.sampleExecution())))
        let url = "http://target.test/now"
        #expect(bench.answer == .execution(RequestBench.sampleExecution(), failedAttempts: [], url: url))
        settings.name = "named"
        bench.ask(.executeNow(settings, wait: wait))
        #expect(bench.error?.errors.map(\.field) == ["name"])
    }
}
