import CarillonCore
import Testing

@Suite("Read requests")
struct RequestReadTests {
    private static let id = RequestBench.id

    // MARK: Jobs

    @Test("a job is found, or not")
    func job() {
        var bench = RequestBench()
        let rows = [
            RequestBench.sampleJob(), nil, RequestBench.sampleJob(isDeleted: true),
            RequestBench.sampleJob(isAdHoc: true),
        ]
        for (index, row) in rows.enumerated() {
            let requestID = bench.ask(.getJob(Self.id))
            bench.tell(.read(requestID, .job(row)))
            #expect(bench.job == (index == 0 ? row : nil))
            #expect(bench.error?.code == (index == 0 ? nil : .notFound))
        }
    }

    @Test("the limit of a list is 1 to 1000, and its cursor must come from a list")
    func limits() {
        var bench = RequestBench()
        for limit in [0, 1_001, .max] as [UInt32] {
            var jobs = ListJobs()
            jobs.limit = limit
            bench.ask(.listJobs(jobs))
            #expect(bench.error?.errors.map(\.field) == ["limit"])
            var executions = ListExecutions()
            executions.limit = limit
            bench.ask(.listExecutions(executions))
            #expect(bench.error?.errors.map(\.field) == ["limit"])
        }
        var list = ListJobs()
        list.cursor = "page 2"
        bench.ask(.listJobs(list))
        #expect(bench.error?.errors.map(\.field) == ["cursor"])
        list.cursor = Self.id.description
        list.limit = 1_000
        bench.ask(.listJobs(list))
        #expect(bench.reads == [.jobs(JobQuery(limit: 1_000, after: Self.id))])
    }

    @Test("a page has the next cursor, and the total if the list is unfiltered")
    func pages() {
        var bench = RequestBench()
        var list = ListJobs()
        for filter in [nil, true] {
            list.active = filter
            let requestID = bench.ask(.listJobs(list))
            bench.tell(.read(requestID, .jobs([RequestBench.sampleJob()], hasMore: filter == nil, total: 12)))
            guard case .jobs(let jobs, let next, let total)? = bench.replies.first?.reply else {
                Issue.record("no page: \(bench.actions)")
                return
            }
            #expect(jobs.count == 1)
            #expect(next == (filter == nil ? Self.id.description : nil))
            #expect(total == (filter == nil ? 12 : nil))
        }
    }

    @Test("rows with large texts produce short pages of at least one row")
    func largeRows() {
        var bench = RequestBench()
        var job = RequestBench.sampleJob()
        job.call.body = String(repeating: "x", count: 30_000)
        let requestID = bench.ask(.listJobs(ListJobs()))
        bench.tell(.read(requestID, .jobs([job, job, job], hasMore: false, total: nil)))
        guard case .jobs(let jobs, let next, _)? = bench.replies.first?.reply else {
            Issue.record("no page: \(bench.actions)")
            return
        }
        #expect(jobs.count == 1)
        #expect(next == Self.id.description)
        var execution = RequestBench.sampleExecution()
        execution.response = String(repeating: "x", count: 7_000)
        let other = bench.ask(.listExecutions(ListExecutions()))
        bench.tell(.read(other, .executions([execution, execution, execution], hasMore: false)))
        let cursor = RequestBench.executionID.description
        #expect(bench.answer == .executionList([execution, execution], nextCursor: cursor))
    }

    // MARK: Executions

    @Test("the history of a job that never existed is not found; the history of a deleted job is kept")
    func history() {
        var list = ListExecutions()
        list.jobID = Self.id
        let requests: [Request] = [
            .listExecutions(list), .getLatestExecution(Self.id), .getExecutionStats(Self.id, from: nil, to: nil),
        ]
        for request in requests {
            var bench = RequestBench(leads: false)
            var requestID = bench.ask(request)
            #expect(bench.reads == [.job(Self.id)])
            bench.tell(.read(requestID, .job(nil)))
            #expect(bench.error?.code == .notFound)
            requestID = bench.ask(request)
            bench.tell(.read(requestID, .job(RequestBench.sampleJob(isDeleted: true))))
            #expect(bench.reads.count == 1 && bench.error == nil)
        }
    }

    @Test("an empty range is rejected before anything is read")
    func emptyRange() {
        var bench = RequestBench()
        var list = ListExecutions()
        (list.from, list.to) = (bench.now, bench.now)
        for request in [Request.listExecutions(list), .getExecutionStats(Self.id, from: bench.now, to: nil)] {
            bench.ask(request)
            #expect(bench.error?.errors.map(\.field) == ["to"])
        }
    }

    @Test("an execution is found, or not")
    func execution() {
        var bench = RequestBench()
        for row in [RequestBench.sampleExecution(), nil] {
            let requestID = bench.ask(.getExecution(Self.id, RequestBench.executionID))
            #expect(bench.reads == [.execution(RequestBench.executionID, of: Self.id)])
            bench.tell(.read(requestID, .execution(row, failedAttempts: [])))
            #expect(bench.answer == row.map { .execution($0, failedAttempts: [], url: nil) })
            #expect(bench.error?.code == (row == nil ? .notFound : nil))
            let latest = bench.ask(.getLatestExecution(Self.id))
            bench.tell(.read(latest, .job(RequestBench.sampleJob())))
            #expect(bench.reads == [.latestExecution(of: Self.id)])
            bench.tell(.read(latest, .execution(row, failedAttempts: [])))
            #expect(bench.error?.code == (row == nil ? .notFound : nil))
        }
    }

    @Test("statistics cover the last day by default")
    func stats() {
        var bench = RequestBench()
        let (from, to) = (bench.now - 86_400_000, bench.now)
        let requestID = bench.ask(.getExecutionStats(Self.id, from: nil, to: nil))
        bench.now = bench.now + 5_000
        bench.tell(.read(requestID, .job(RequestBench.sampleJob())))
        #expect(bench.reads == [.stats(Self.id, from: from, to: to)])
        bench.tell(.read(requestID, .stats(ExecutionStats())))
        #expect(bench.answer == .executionStats(Self.id, from: from, to: to, ExecutionStats()))
    }

    // MARK: Watches

    @Test("a watch of all jobs starts immediately without a read")
    func watchAll() {
        var bench = RequestBench()
        let requestID = bench.ask(.watchExecutions(nil))
        guard case .startWatch(requestID, nil)? = bench.actions.first, bench.actions.count == 1 else {
            Issue.record("no watch: \(bench.actions)")
            return
        }
        #expect(bench.machine.openCount == 0)
        bench.ask(.stopWatching)
        guard case .stopWatch? = bench.actions.first else {
            Issue.record("the watch goes on: \(bench.actions)")
            return
        }
    }

    @Test("a watch of a job that never existed ends; a watch of a deleted job continues")
    func watchOne() {
        for row in [nil, RequestBench.sampleJob(isDeleted: true)] {
            var bench = RequestBench()
            let requestID = bench.ask(.watchExecutions(Self.id))
            guard case .startWatch(requestID, Self.id)? = bench.actions.first else {
                Issue.record("no watch: \(bench.actions)")
                return
            }
            bench.tell(.read(requestID, .job(row)))
            #expect(bench.actions.count == (row == nil ? 1 : 0))
            if row == nil, case .endWatch(requestID, let error)? = bench.actions.first {
                #expect(error.code == .notFound)
            } else {
                #expect(row != nil)
            }
            #expect(bench.machine.openCount == 0)
        }
    }

    // MARK: Everything else

    @Test("refresh and cluster requests are answered")
    func others() {
        var bench = RequestBench()
        let requestID = bench.ask(.refreshSchedule)
        #expect(bench.reads == [.editedJobs])
        bench.tell(.read(requestID, .editedJobs(jobCount: 3)))
        #expect(bench.answer == .scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: 3))
        bench.ask(.getCluster)
        #expect(bench.reads == [.cluster])
    }

    @Test("a preview has 1 to 1000 times of a valid schedule")
    func preview() throws {
        var bench = RequestBench()
        var preview = PreviewSchedule(schedule: "0 * * * *")
        for count in [0, 1_001] as [UInt32] {
            preview.count = count
            bench.ask(.previewSchedule(preview))
            #expect(bench.error?.errors.map(\.field) == ["count"])
        }
        preview.count = 3
        preview.daylightPolicy = "NEVER"
        bench.ask(.previewSchedule(preview))
        #expect(bench.error?.text.hasPrefix("dst_policy: \"NEVER\" is not one of ") == true)
        preview.daylightPolicy = "SKIP"
        preview.timeZone = "Nowhere"
        bench.ask(.previewSchedule(preview))
        #expect(bench.error?.errors.map(\.field) == ["schedule"])
        preview.timeZone = nil
        bench.ask(.previewSchedule(preview))
        let reply = try #require(bench.replies.first?.reply)
        let answer = try ReplyRenderer(plan: RequestBench.plan).render(reply, at: bench.now).get()
        guard case .schedulePreview(let rendered) = answer else {
            Issue.record("no preview: \(answer)")
            return
        }
        #expect(rendered.times.count == 3)
        #expect(rendered.times.first?.time == bench.now + 3_600_000)
        #expect(rendered.timeZone == "UTC")
    }

    @Test("a job is shown with its next time, or with the error in its schedule")
    func view() throws {
        let renderer = ReplyRenderer(plan: RequestBench.plan)
        let now = Timestamp(seconds: 1_800_000_000)
        var job = RequestBench.sampleJob()
        guard case .success(.job(let view)) = renderer.render(.job(job), at: now) else {
            Issue.record("no job")
            return
        }
        #expect(view.nextRunTime == now + 3_600_000)
        job.active = false
        let page = RequestReply.jobs([job], nextCursor: nil, totalCount: 4)
        guard case .success(.jobList(let views, nil, 4)) = renderer.render(page, at: now) else {
            Issue.record("no jobs")
            return
        }
        #expect(views.first?.nextRunTime == nil)
        job.schedule = "nonsense"
        guard case .success(.job(let broken)) = renderer.render(.job(job), at: now) else {
            Issue.record("no job")
            return
        }
        #expect(broken.scheduleDescription == "Never: schedule: cannot be read")
    }
}
