internal import CarillonCore
internal import CarillonRuntime
internal import Synchronization

/// Tells the log, metrics, watches and waiting clients what happened, on a thread of its own: the dispatcher's thread does not
/// wait for them.
final class Observers: Sendable {
    enum Observation: Sendable {
        case noted(Note)
        case recorded([Execution])
        case changed(Ticket, ChangeResult)
        case leadershipChanged
    }

    private let metrics: SchedulerMetrics
    private let driftLog: DriftLog
    private let watchers: Watchers
    private let pump: Pump<Observation>
    /// Executions that are posted and not yet told.
    private let backlog: Backlog

    private final class Backlog: Sendable {
        let rows = Atomic<Int>(0)
    }

    private let maxBacklogRows: Int

    /// - Parameter maxBacklogRows: executions that wait to be told; more would fill the memory.
    init(
        metrics: SchedulerMetrics,
        driftLog: DriftLog,
        watchers: Watchers,
        requests: RequestHandler,
        log: SchedulerLog,
        maxBacklogRows: Int = 200_000
    ) {
        let backlog = Backlog()
        self.metrics = metrics
        self.driftLog = driftLog
        self.watchers = watchers
        self.backlog = backlog
        self.maxBacklogRows = maxBacklogRows
        // The line about refused rows is due a second after the last one.
        pump = Pump(name: "observers", maxSleepMs: 1_000) { observations, now in
            for observation in observations {
                switch observation {
                case .noted(let note):
                    log.log(note)
                case .recorded(let executions):
                    metrics.record(executions)
                    driftLog.look(at: executions)
                    watchers.tell(executions)
                    backlog.rows.wrappingSubtract(executions.count, ordering: .relaxed)
                case .changed(let ticket, let result):
                    requests.changed(ticket, result)
                case .leadershipChanged:
                    requests.leadershipChanged()
                }
            }
            log.writeRefusals(at: now.boot)
            return nil
        }
    }

    func start() {
        pump.start()
    }

    /// Returns when everything that was posted has been told.
    func stop() {
        pump.stop()
    }

    /// What one turn of the dispatcher brought, in order.
    func post(_ observations: [Observation]) {
        if observations.isEmpty { return }
        pump.post(contentsOf: observations.filter { !isTooMuch($0) })
    }

    /// At the limit, watches end with an error, and the executions are only counted.
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
        for farewell in watchers.endAll(with: error) { farewell.send() }
        return true
    }
}
