/// Processes client requests: which data to read, which change to request from the dispatcher, and which reply to send.
///
/// The runner performs the actions and returns their results as events. Time and randomness are arguments.
package struct RequestMachine: Sendable {
    /// A request that has no reply yet.
    struct OpenRequest: Sendable {
        let request: Request
        let connection: ConnectionID
        var step = Step.begun
        /// For a request with an idempotency key: the row that its change writes.
        var keyRecord: IdempotencyRecord?
        /// The job to create, with its id.
        var draft: PlannedJob?
        /// Makes the id of a manual execution unique.
        var nonce = UniqueID.zero
        /// For a statistics request.
        var statsRange: (from: Timestamp, to: Timestamp)?
        /// How often the dispatcher answered that the job changed since it was read.
        var staleCount = 0
    }

    enum Step: Sendable {
        case begun
        /// Waits for an earlier change of the same job.
        case queued
        case readingKey
        /// The idempotency key was used before: reads the result of the first request.
        case readingFirstResult
        case readingJob
        /// Reads the content of the reply.
        case readingRows
        /// The dispatcher is processing the change.
        case changing
        /// The watch runs; checks whether its job ever existed.
        case checkingWatch

        var isReading: Bool {
            switch self {
            case .readingKey, .readingFirstResult, .readingJob, .readingRows, .checkingWatch: true
            case .begun, .queued, .changing: false
            }
        }
    }

    /// An idempotency key is valid for one operation.
    struct KeyName: Sendable, Hashable {
        var operation: String
        var key: String

        init(_ record: IdempotencyRecord) {
            (operation, key) = (record.operation, record.key)
        }
    }

    /// How often a change is repeated because the job changed since it was read. Each time, another change was
    /// committed in between.
    static let maxStaleAnswers = 20
    /// How long an idempotency key is stored.
    static let keyLifetimeMs: Int64 = 86_400_000

    let rules: JobRules
    let plan: ReplyRenderer.PlanSource
    let maxFrameBytes: Int
    var leadership = LeadershipStatus.standingBy(leader: nil)
    /// The cluster time of the current event.
    var now = Timestamp.distantPast
    var openRequests: [RequestID: OpenRequest] = [:]
    /// The keys of open requests.
    var keysInUse: Set<KeyName> = []
    /// Changes per job, in order of arrival. The first one is in progress; the others wait.
    var changeLines: [JobID: [RequestID]] = [:]

    /// - Parameters:
    ///   - plan: the source of schedule plans, the same as in `rules`.
    ///   - maxFrameBytes: the frame limit; a page of a list fills at most half a frame.
    package init(rules: JobRules, plan: @escaping ReplyRenderer.PlanSource, maxFrameBytes: Int) {
        self.rules = rules
        self.plan = plan
        self.maxFrameBytes = maxFrameBytes
    }

    /// - Parameter now: cluster time.
    package mutating func handle(
        _ event: RequestEvent,
        at now: Timestamp,
        using random: inout some RandomNumberGenerator,
        into actions: inout [RequestAction]
    ) {
        self.now = now
        switch event {
        case .requested(let requestID, let request, let connection):
            guard openRequests[requestID] == nil else { return }
            openRequests[requestID] = OpenRequest(request: request, connection: connection)
            attempt(requestID, into: &actions) { (machine, actions) throws(ClientError) in
                try machine.admit(request)
                try machine.begin(request, requestID, using: &random, into: &actions)
            }
        case .read(let requestID, let result):
            attempt(requestID, into: &actions) { (machine, actions) throws(ClientError) in
                try machine.read(requestID, result, into: &actions)
            }
        case .changed(let requestID, let result):
            attempt(requestID, into: &actions) { (machine, actions) throws(ClientError) in
                try machine.changed(requestID, result, into: &actions)
            }
        case .connectionEnded(let connection):
            let error = ClientError(.unavailable, "the connection has ended")
            end(with: error, into: &actions) { $0.connection == connection && $0.step != .changing }
        case .leadershipChanged(let status):
            leadershipChanged(to: status, into: &actions)
        case .stopped:
            end(with: .schedulerStopping, into: &actions) { _ in true }
        }
    }

    /// Checks whether this scheduler may answer the request.
    ///
    /// Future permission checks belong here, before anything is read: one exhaustive switch from request to permission
    /// and object.
    private func admit(_ request: Request) throws(ClientError) {
        if request.needsLeader { try requireLeading() }
    }

    func requireLeading() throws(ClientError) {
        if let refusal = leadership.refusal { throw refusal }
    }

    /// Ends all requests that need a leader, except changes that the dispatcher is processing: the dispatcher answers
    /// those.
    private mutating func leadershipChanged(to status: LeadershipStatus, into actions: inout [RequestAction]) {
        let before = leadership
        leadership = status
        guard let epoch = before.epoch, epoch != status.epoch else { return }
        // Another scheduler may have recorded executions in between that this scheduler's watches missed.
        let error = ClientError(
            .notLeader,
            "this scheduler is no longer the leader",
            leaderAddress: status.refusal?.leaderAddress
        )
        actions.append(.endAllWatches(error))
        end(with: error, into: &actions) { $0.request.needsLeader && $0.step != .changing }
    }

    // MARK: The end of a request

    /// Performs the next step of a request; an error becomes its reply.
    private mutating func attempt(
        _ requestID: RequestID,
        into actions: inout [RequestAction],
        _ step: (inout RequestMachine, inout [RequestAction]) throws(ClientError) -> Void
    ) {
        do throws(ClientError) {
            try step(&self, &actions)
        } catch {
            finish(requestID, .error(error), into: &actions)
        }
    }

    /// Ends requests, the latest first, so that no queued change starts in between.
    private mutating func end(
        with error: ClientError,
        into actions: inout [RequestAction],
        where isAffected: (OpenRequest) -> Bool
    ) {
        for requestID in openRequests.filter({ isAffected($0.value) }).keys.sorted(by: >) {
            finish(requestID, .error(error), into: &actions)
        }
    }

    mutating func finish(_ requestID: RequestID, _ reply: RequestReply, into actions: inout [RequestAction]) {
        guard let ended = openRequests.removeValue(forKey: requestID) else { return }
        if let record = ended.keyRecord { keysInUse.remove(KeyName(record)) }
        if case .error(let error) = reply, ended.step == .checkingWatch {
            actions.append(.endWatch(requestID, error))
        } else {
            actions.append(.reply(requestID, reply))
        }
        if let job = ended.request.changedJob { leaveLine(of: job, requestID, into: &actions) }
    }

    /// Removes a request without a reply: a watch that continues or was stopped.
    mutating func forget(_ requestID: RequestID) {
        openRequests[requestID] = nil
    }

    // MARK: Steps

    mutating func read(_ requestID: RequestID, _ read: RequestRead, _ step: Step, into actions: inout [RequestAction]) {
        openRequests[requestID]?.step = step
        actions.append(.read(requestID, read))
    }

    mutating func change(_ requestID: RequestID, _ request: ChangeRequest, into actions: inout [RequestAction]) {
        openRequests[requestID]?.step = .changing
        actions.append(.change(requestID, request))
    }
}

extension ClientError {
    /// The process is shutting down.
    package static let schedulerStopping = ClientError(.unavailable, "this scheduler is stopping; try again")

    static let unexpectedResult = ClientError(
        .internal,
        "the scheduler produced a result that does not match the request"
    )
}
