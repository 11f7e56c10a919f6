internal import CarillonCore
internal import CarillonCron
internal import CarillonRuntime
internal import Logging

/// Writes what the dispatcher notes into the log. Nothing else depends on it.
final class SchedulerLog: Sendable {
    private let logger: Logger
    private let losses: RateLimitedLog
    private let refusals: RefusalLog

    init(_ logger: Logger) {
        self.logger = logger
        losses = RateLimitedLog(logger)
        refusals = RefusalLog(logger)
    }

    /// Writes the line about refused rows if it is due. Returns when it is due; `nil` when no row was refused.
    func writeRefusals(at now: BootTime) -> BootTime? {
        refusals.write(at: now)
    }

    func workerNameInUse(_ name: String) {
        losses.log(
            .warning,
            key: "name \(name)",
            "worker refused: its name is in use",
            metadata: ["worker": "\(name)"],
            at: SystemClock.bootTime()
        )
    }

    func log(_ logEvent: DispatcherLogEvent) {
        switch logEvent {
        case .leadershipTaken(let epoch, _):
            logger.info("lease taken", metadata: ["epoch": "\(epoch)"])
        case .leadershipLost(let why):
            logger.warning("lease lost", metadata: ["why": "\(why)"])
        case .leadHandedOver(let standby):
            logger.warning(
                "no worker is connected; handing the lead to a scheduler that has workers",
                metadata: ["scheduler": "\(standby)"]
            )
        case .leading(let epoch, let jobs, let open):
            logger.info("leading", metadata: ["epoch": "\(epoch)", "jobs": "\(jobs)", "open_executions": "\(open)"])
        case .outageOpened(let outage):
            logger.warning(
                "catching up on missed times",
                metadata: [
                    "from": "\(RFC3339.format(milliseconds: outage.from.milliseconds))",
                    "to": "\(RFC3339.format(milliseconds: outage.to.milliseconds))",
                ]
            )
        case .outageClosed: logger.info("caught up")
        case .clockStepped(let milliseconds):
            logger.warning("the database's clock stepped", metadata: ["milliseconds": "\(milliseconds)"])
        case .loadFailed(let text):
            losses.log(
                .warning,
                key: text,
                "reading failed; asking again",
                metadata: ["error": "\(text)"],
                at: SystemClock.bootTime()
            )
        case .workerLost(let name, let count):
            // A worker that takes calls and leaves again and again does not fill the log.
            losses.log(
                .warning,
                key: name,
                "worker lost",
                metadata: ["worker": "\(name)", "executions": "\(count)"],
                at: SystemClock.bootTime()
            )
        case .rowRefused(let text): refusals.add(text, at: SystemClock.bootTime())
        case .workerNameInUse(let name): workerNameInUse(name)
        case .reportRejected(let worker, let why):
            losses.log(
                .warning,
                key: "report \(worker)",
                "report of a worker not accepted as it stands",
                metadata: ["worker": "\(worker)", "why": "\(why)"],
                at: SystemClock.bootTime()
            )
        case .leadRefused(let worker, let highest, let isProven):
            losses.log(
                .warning,
                key: "lead \(worker)",
                isProven
                    ? "worker obeys a later epoch; taking the lease again above it"
                    : "worker obeys an epoch that this cluster never held; restart the worker",
                metadata: ["worker": "\(worker)", "epoch": "\(highest)"],
                at: SystemClock.bootTime()
            )
        case .callOverdue(let worker, let execution):
            losses.log(
                .warning,
                key: "overdue \(worker)",
                "worker did not report a call in time; the attempt counts as lost",
                metadata: ["worker": "\(worker)", "execution": "\(execution)"],
                at: SystemClock.bootTime()
            )
        case .batchStalled(let milliseconds):
            logger.warning(
                "database answered a write late; due times missed meanwhile follow the catch-up policy",
                metadata: ["milliseconds": "\(milliseconds)"]
            )
        case .materializationHeld(let count):
            logger.error("too many open executions, due times wait", metadata: ["open_executions": "\(count)"])
        }
    }
}
