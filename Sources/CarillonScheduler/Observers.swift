internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// Reports what happened to the log, metrics, watches and waiting clients. Uses a separate thread, so that the dispatcher's
/// thread does not wait.
final class Observers: Sendable {
    enum Observation: Sendable {
        case logged(DispatcherLogEvent)
        case recorded([Execution])
        case changed(RequestID, ChangeResult)
        case leadershipChanged
    }

    private let metrics: SchedulerMetrics
    private let driftLog: DriftLog
    private let subscriptions: Subscriptions
    private let eventLoop: EventLoopThread<Observation>
    /// Executions that are posted and not yet processed.
    private let backlog: Backlog

    private final class Backlog: Sendable {
        let rows = Atomic<Int>(0)
    }

    private let maxBacklogRows: Int

    /// - Parameter maxBacklogRows: the limit of posted executions that are not yet processed.
    init(
        metrics: SchedulerMetrics,
        driftLog: DriftLog,
        subscriptions: Subscriptions,
        requests: RequestHandler,
        log: SchedulerLog,
        maxBacklogRows: Int = 200_000
    ) {
        let backlog = Backlog()
        self.metrics = metrics
        self.driftLog = driftLog
        self.subscriptions = subscriptions
        self.backlog = backlog
        self.maxBacklogRows = maxBacklogRows
        eventLoop = EventLoopThread(name: "observers") { observations, now in
            for observation in observations {
                switch observation {
                case .logged(let logEvent):
                    log.log(logEvent)
                case .recorded(let executions):
                    metrics.record(executions)
                    driftLog.look(at: executions)
                    subscriptions.tell(executions)
                    backlog.rows.wrappingSubtract(executions.count, ordering: .relaxed)
                case .changed(let requestID, let result):
                    requests.changed(requestID, result)
                case .leadershipChanged:
                    requests.leadershipChanged()
                }
            }
            // The line about refused rows is due a second after the last one: the thread wakes for nothing else.
            return log.writeRefusals(at: now.boot)
        }
    }

    func start() {
        eventLoop.start()
    }

    /// Returns after everything posted so far has been processed.
    func stop() {
        eventLoop.stop()
    }

    /// The observations of one turn of the dispatcher, in order.
    func post(_ observations: [Observation]) {
        if observations.isEmpty { return }
        eventLoop.post(contentsOf: observations.filter { !isTooMuch($0) })
    }

    /// At the limit, watches end with an error, and further executions only count in the metrics.
    private func isTooMuch(_ observation: Observation) -> Bool {
        guard case .recorded(let executions) = observation else { return false }
        guard backlog.rows.load(ordering: .relaxed) + executions.count > maxBacklogRows else {
            backlog.rows.wrappingAdd(executions.count, ordering: .relaxed)
            return false
        }
        metrics.record(executions)
        driftLog.look(at: executions)
        let error = ClientError(
            .resourceExhausted,
            "executions change faster than they can be sent; watch again, and list what was missed"
        )
        for farewell in subscriptions.endAll(with: error) { farewell.send() }
        return true
    }
}
