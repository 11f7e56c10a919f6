import CarillonCore
import CarillonCron
import TestSupport

/// A request machine, and the actions of its last event.
struct RequestBench {
    static let leader = "leader.test:7070"
    static let id = JobID(UniqueID(high: 1, low: 1))
    static let executionID = ExecutionID(UniqueID(high: 7, low: 7))

    var machine = RequestMachine(
        rules: JobRules(defaults: JobDefaults(), plan: plan),
        plan: plan,
        maxFrameBytes: 40_960
    )
    var now = Timestamp(seconds: 1_800_000_000)
    private var random = SeededGenerator(seed: 1)
    private var lastRequestID: RequestID = 0
    private(set) var actions: [RequestAction] = []

    static let plan: ReplyRenderer.PlanSource = { text, zone, policy in
        guard zone == "UTC", let expression = try? CronExpression(text) else {
            return .failure(JobRules.FieldErrors([FieldError(field: "schedule", message: "cannot be read")]))
        }
        return .success(SchedulePlan(expression: expression, zone: .utc, policy: policy))
    }

    init(leads: Bool = true) {
        tell(.leadershipChanged(leads ? .leading(epoch: 7) : .standingBy(leader: Self.leader)))
    }

    // MARK: Events

    mutating func tell(_ event: RequestEvent) {
        actions = []
        machine.handle(event, at: now, using: &random, into: &actions)
    }

    /// Sends a request and returns its request id.
    @discardableResult
    mutating func ask(_ request: Request, from connection: ConnectionID = 1) -> RequestID {
        lastRequestID += 1
        tell(.requested(lastRequestID, request, from: connection))
        return lastRequestID
    }

    // MARK: Actions

    var reads: [RequestRead] {
        actions.compactMap { if case .read(_, let read) = $0 { read } else { nil } }
    }

    /// Request ids of the reads.
    var readers: [RequestID] {
        actions.compactMap { if case .read(let requestID, _) = $0 { requestID } else { nil } }
    }

    var changes: [ChangeRequest] {
        actions.compactMap { if case .change(_, let request) = $0 { request } else { nil } }
    }

    /// Rows passed to the dispatcher.
    var refreshed: [Job] {
        actions.compactMap { if case .refresh(let planned) = $0 { planned.job } else { nil } }
    }

    var replies: [(requestID: RequestID, reply: RequestReply)] {
        actions.compactMap { if case .reply(let requestID, let reply) = $0 { (requestID, reply) } else { nil } }
    }

    /// The only reply, if it is an error.
    var error: ClientError? {
        guard replies.count == 1, case .error(let error) = replies[0].reply else { return nil }
        return error
    }

    /// The only reply, if it is a job.
    var job: Job? {
        guard replies.count == 1, case .job(let job) = replies[0].reply else { return nil }
        return job
    }

    /// The only reply, if it is a complete answer.
    var answer: Answer? {
        guard replies.count == 1, case .answer(let answer) = replies[0].reply else { return nil }
        return answer
    }

    // MARK: Samples

    static func sampleJob(
        version: Int64 = 1,
        active: Bool = true,
        isAdHoc: Bool = false,
        isDeleted: Bool = false
    ) -> Job {
        let time = Timestamp(seconds: 1_700_000_000)
        return Job(
            id: id,
            name: "sample",
            schedule: "0 * * * *",
            call: HTTPCall(url: "http://target.test/"),
            active: active,
            isAdHoc: isAdHoc,
            effectiveFrom: time,
            version: version,
            createdAt: time,
            updatedAt: time,
            deletedAt: isDeleted ? time : nil
        )
    }

    static func sampleExecution(_ status: ExecutionStatus = .success) -> Execution {
        let time = Timestamp(seconds: 1_700_000_000)
        return Execution(
            id: executionID,
            jobID: id,
            trigger: .manual,
            scheduledTime: time,
            status: status,
            createdAt: time
        )
    }

    static var newJob: JobSettings {
        var settings = JobSettings()
        settings.schedule = "0 * * * *"
        settings.url = "http://target.test/"
        return settings
    }

    static var priority: JobSettings {
        var settings = JobSettings()
        settings.priority = 5
        return settings
    }

    /// One request of each kind.
    static var allRequests: [Request] {
        var call = JobSettings()
        call.url = "http://target.test/"
        return [
            .createJob(newJob, idempotencyKey: nil, fingerprint: nil), .getJob(id), .listJobs(ListJobs()),
            .updateJob(id, priority, ifVersion: []), .deleteJob(id, ifVersion: []), .pauseJob(id), .resumeJob(id),
            .runJob(id, idempotencyKey: nil, fingerprint: nil), .listExecutions(ListExecutions()),
            .getExecution(id, executionID), .getLatestExecution(id), .getExecutionStats(id, from: nil, to: nil),
            .cancelExecution(id, executionID), .watchExecutions(nil), .watchExecutions(id), .stopWatching,
            .executeNow(call, wait: false), .refreshSchedule, .previewSchedule(PreviewSchedule(schedule: "0 * * * *")),
            .getCluster,
        ]
    }
}
