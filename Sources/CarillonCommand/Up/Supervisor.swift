internal import CarillonCore
internal import CarillonRuntime
internal import Glibc

/// A child of `carillon up`.
struct SupervisedChild: Sendable {
    var life: Supervision.Child
    var launch: Launch
    var log: LogFile
}

/// Runs a `Supervision`: starts, signals and reaps processes on the thread that calls `run`. The death signal of the
/// children is tied to that thread.
struct Supervisor {
    var children: [SupervisedChild]
    var hasDatabase: Bool
    /// The path of `carillon`.
    var runner: String
    /// Prints a line to the terminal.
    var say: (String) -> Void
    /// Whether the database accepts connections; called repeatedly after its start.
    var isDatabaseReady: () -> Bool
    /// Called once, when the database is ready.
    var databaseBecameReady: () -> Void
    /// `nil` if all programs answer, otherwise a description of the problem.
    var healthProblem: () -> String?
    /// Called once, when all programs answer.
    var becameHealthy: () -> Void

    static let signals = [SIGINT, SIGTERM, SIGHUP, SIGCHLD]
    private static let databaseIntervalMs: Int64 = 20
    private static let healthIntervalMs: Int64 = 100
    /// The time until the first reminder of what is not ready, and the time between reminders.
    private static let firstReminderMs: Int64 = 5_000
    private static let reminderMs: Int64 = 15_000
    private static let logLines = 10

    /// - Returns: the exit status, once all children have ended.
    func run(_ inbox: borrowing SignalInbox) -> Int32 {
        var machine = Supervision(children: children.map(\.life), hasDatabase: hasDatabase)
        var pids: [Int: pid_t] = [:]
        // The position in each child's log where its current run starts.
        var logBegins: [Int: Int] = [:]
        var status: Int32?
        func step(_ event: Supervision.Event) {
            var events = [event]
            while let event = events.popLast() {
                for action in machine.handle(event, atMs: nowMs()) {
                    switch action {
                    case .start(let index):
                        do throws(FileProblem) {
                            (pids[index], logBegins[index]) = try start(children[index])
                        } catch {
                            events.append(.ended(index, how: "did not start (\(error))"))
                        }
                    case .signal(let index, let number): if let pid = pids[index] { kill(pid, number) }
                    case .say(let text): say(text)
                    case .showLog(let index): showLog(children[index])
                    case .over(let code): status = code
                    }
                }
            }
        }

        step(.begun)
        var nextReminderMs = nowMs() + Supervisor.firstReminderMs
        while status == nil {
            for number in inbox.wait(milliseconds: patienceMs(machine)) where number != SIGCHLD { step(.stopRequested) }
            for (index, pid) in pids.sorted(by: { $0.key < $1.key }) {
                guard let how = ChildProcess.end(of: pid) else { continue }
                pids[index] = nil
                step(.ended(index, how: how))
            }
            step(.timePassed)
            switch machine.phase {
            case .database where isDatabaseReady():
                databaseBecameReady()
                nextReminderMs = nowMs() + Supervisor.firstReminderMs
                step(.databaseAccepted)
            case .starting:
                if let problem = healthProblem() {
                    guard nowMs() >= nextReminderMs else { break }
                    nextReminderMs = nowMs() + Supervisor.reminderMs
                    say("not ready yet: \(problem)")
                    sayComplaints(since: logBegins)
                } else {
                    step(.becameHealthy)
                    becameHealthy()
                }
            default: break
            }
        }
        return status ?? 0
    }

    private func patienceMs(_ machine: Supervision) -> Int64 {
        let deadline = machine.nextDeadlineMs.map { max(0, $0 - nowMs()) } ?? 60_000
        switch machine.phase {
        case .database: return min(deadline, Supervisor.databaseIntervalMs)
        case .starting: return min(deadline, Supervisor.healthIntervalMs)
        default: return deadline
        }
    }

    private func nowMs() -> Int64 {
        SystemClock.bootTime().nanoseconds / 1_000_000
    }

    /// - Returns: the process id, and the position where its part of the log starts.
    private func start(_ child: SupervisedChild) throws(FileProblem) -> (pid_t, Int) {
        let output = try child.log.open()
        defer { close(output) }
        let begin = child.log.size
        return (try ChildProcess.start(child.launch, runner: runner, output: output), begin)
    }

    /// Prints warnings of the children: they may contain the reason why the system is not ready, such as an unreachable
    /// database.
    private func sayComplaints(since begins: [Int: Int]) {
        for (index, child) in children.enumerated() {
            let lines = child.log.lastLines(count: Supervisor.logLines, from: begins[index] ?? 0)
            guard let line = lines.last(where: LogFile.isComplaint) else { continue }
            say("  \(child.life.name) says: \(TerminalText.line(line))")
        }
    }

    private func showLog(_ child: SupervisedChild) {
        let lines = child.log.lastLines(count: Supervisor.logLines)
        guard !lines.isEmpty else { return }
        say("the last lines of \(child.log.path):")
        for line in lines { say("  \(TerminalText.line(line))") }
    }
}
