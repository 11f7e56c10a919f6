internal import CarillonCore
internal import CarillonCron
internal import CarillonRuntime
internal import Logging

/// Logs the dispatcher's events.
final class SchedulerLog: Sendable {
    private let logger: Logger
    private let losses: RateLimitedLog
    private let refusals: RefusalLog

    init(_ logger: Logger) {
        self.logger = logger
        losses = RateLimitedLog(logger)
        refusals = RefusalLog(logger)
    }

    /// Writes the line about refused rows when it is due. Must be called periodically.
    func writeRefusals(at now: BootTime) -> BootTime? {
        refusals.write(at: now)
    }

    func workerNameInUse(_ name: String) {
        losses.log(
            .warning,
            key: "name \(name)",
            "duplicate worker name; refusing the newer connection",
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
                "no worker connected; handing the lead to a scheduler with workers",
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
            logger.warning("database clock stepped", metadata: ["milliseconds": "\(milliseconds)"])
        case .loadFailed(let text):
            losses.log(
                .warning,
                key: text,
                "database read failed; retrying",
                metadata: ["error": "\(text)"],
                at: SystemClock.bootTime()
            )
        case .workerLost(let name, let count):
            // Limited for each worker, because a worker may be lost again and again.
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
                "worker report rejected or corrected",
                metadata: ["worker": "\(worker)", "why": "\(why)"],
                at: SystemClock.bootTime()
            )
        case .leadRefused(let worker, let highest, let isProven):
            losses.log(
                .warning,
                key: "lead \(worker)",
                isProven
                    ? "worker follows a later epoch; taking the lease again with a higher epoch"
                    : "worker follows an epoch that this cluster never held; restart the worker",
                metadata: ["worker": "\(worker)", "epoch": "\(highest)"],
                at: SystemClock.bootTime()
            )
        case .callOverdue(let worker, let execution):
            losses.log(
                .warning,
                key: "overdue \(worker)",
                "worker report overdue; counting the attempt as lost",
                metadata: ["worker": "\(worker)", "execution": "\(execution)"],
                at: SystemClock.bootTime()
            )
        case .batchStalled(let milliseconds):
            logger.warning(
                "database write answered late; the catch-up policy applies to times missed meanwhile",
                metadata: ["milliseconds": "\(milliseconds)"]
            )
        case .materializationHeld(let count):
            logger.error("too many open executions; due times wait", metadata: ["open_executions": "\(count)"])
        }
    }
}
