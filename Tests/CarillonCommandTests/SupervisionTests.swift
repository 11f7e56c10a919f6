import Glibc
import Testing

@testable import CarillonCommand

/// The reactions of `carillon up` to events of its children. Each step checks the actions and the next phase.
@Suite struct SupervisionTests {
    /// 0 database, 1 scheduler, 2 worker, 3 gateway.
    private static func machine(hasDatabase: Bool = true) -> Supervision {
        var children = [
            Supervision.Child(name: "scheduler", rank: 2, stopSignal: SIGTERM, hurrySignal: SIGKILL, graceMs: 15_000),
            Supervision.Child(name: "worker-1", rank: 1, stopSignal: SIGTERM, hurrySignal: SIGKILL, graceMs: nil),
            Supervision.Child(name: "gateway", rank: 0, stopSignal: SIGTERM, hurrySignal: SIGKILL, graceMs: 15_000),
        ]
        if hasDatabase {
            children.insert(
                Supervision.Child(name: "database", rank: 3, stopSignal: SIGINT, hurrySignal: SIGQUIT, graceMs: 60_000),
                at: 0
            )
        }
        return Supervision(children: children, hasDatabase: hasDatabase)
    }

    private static func running() -> Supervision {
        var machine = machine()
        for event in [.begun, .databaseAccepted, .becameHealthy] as [Supervision.Event] {
            _ = machine.handle(event, atMs: 0)
        }
        return machine
    }

    @Test func theDatabaseComesFirst() {
        var machine = Self.machine()
        #expect(machine.handle(.begun, atMs: 0) == [.start(0)] && machine.phase == .database)
        #expect(machine.handle(.timePassed, atMs: 10) == [] && machine.nextDeadlineMs == nil)
        #expect(
            machine.handle(.databaseAccepted, atMs: 20) == [.start(1), .start(2), .start(3)]
                && machine.phase == .starting
        )
        #expect(machine.handle(.databaseAccepted, atMs: 21) == [])
        #expect(machine.handle(.becameHealthy, atMs: 30) == [] && machine.phase == .running)
    }

    @Test func withoutADatabaseOfOurOwnAllStartAtOnce() {
        var machine = Self.machine(hasDatabase: false)
        #expect(machine.handle(.begun, atMs: 0) == [.start(0), .start(1), .start(2)] && machine.phase == .starting)
    }

    @Test func aDatabaseThatCannotStartEndsEverything() {
        var machine = Self.machine()
        _ = machine.handle(.begun, atMs: 0)
        #expect(
            machine.handle(.ended(0, how: "exited with status 1"), atMs: 5) == [
                .say("database exited with status 1 and cannot be started; stopping all programs"), .showLog(0),
                .over(70),
            ]
        )
        #expect(machine.phase == .over)
    }

    @Test func aChildThatDiesIsStartedAgain() {
        var machine = Self.running()
        #expect(
            machine.handle(.ended(2, how: "was killed by signal 9"), atMs: 100) == [
                .say("worker-1 was killed by signal 9; restarting in 1 s"), .showLog(2),
            ]
        )
        #expect(machine.nextDeadlineMs == 1_100 && machine.phase == .running)
        #expect(machine.handle(.timePassed, atMs: 1_099) == [])
        #expect(machine.handle(.timePassed, atMs: 1_100) == [.start(2)] && machine.nextDeadlineMs == nil)
        // There is no limit once the system has been healthy.
        for round in 2...20 as ClosedRange<Int64> {
            _ = machine.handle(.ended(2, how: "died"), atMs: round * 10_000)
            #expect(
                machine.handle(.timePassed, atMs: round * 10_000 + 1_000) == [.start(2)] && machine.phase == .running
            )
        }
    }

    @Test func childThatNeverBecomesHealthyIsAbandoned() {
        var machine = Self.machine(hasDatabase: false)
        _ = machine.handle(.begun, atMs: 0)
        for round in 1...3 as ClosedRange<Int64> {
            _ = machine.handle(.ended(0, how: "exited with status 1"), atMs: round * 2_000)
            #expect(machine.handle(.timePassed, atMs: round * 2_000 + 1_000) == [.start(0)])
        }
        let actions = machine.handle(.ended(0, how: "exited with status 1"), atMs: 9_000)
        #expect(actions.contains(.say("scheduler exited with status 1 and cannot be started; stopping all programs")))
        #expect(actions.last == .signal(2, SIGTERM) && machine.phase == .stopping)
        _ = machine.handle(.ended(2, how: ""), atMs: 9_100)
        #expect(machine.handle(.ended(1, how: ""), atMs: 9_200) == [.over(70)])
    }

    @Test func aStopGoesFromTheGatewayToTheDatabase() {
        var machine = Self.running()
        #expect(
            machine.handle(.stopRequested, atMs: 0) == [.say("stopping"), .signal(3, SIGTERM)]
                && machine.phase == .stopping
        )
        #expect(machine.handle(.ended(3, how: "exited with status 0"), atMs: 10) == [.signal(2, SIGTERM)])
        #expect(machine.handle(.ended(2, how: "exited with status 0"), atMs: 20) == [.signal(1, SIGTERM)])
        #expect(machine.handle(.ended(1, how: "exited with status 0"), atMs: 30) == [.signal(0, SIGINT)])
        #expect(
            machine.handle(.ended(0, how: "exited with status 0"), atMs: 40) == [.over(0)] && machine.phase == .over
        )
    }

    @Test func aWorkerMayTakeItsTimeAndPeopleAreTold() {
        var machine = Self.running()
        _ = machine.handle(.stopRequested, atMs: 0)
        _ = machine.handle(.ended(3, how: ""), atMs: 0)
        #expect(machine.nextDeadlineMs == 2_000)
        #expect(
            machine.handle(.timePassed, atMs: 2_000) == [
                .say("waiting for worker-1 to complete its work; press Ctrl-C again to stop immediately")
            ]
        )
        // The line is printed once, and there is no time limit.
        #expect(machine.nextDeadlineMs == nil && machine.handle(.timePassed, atMs: 3_600_000) == [])
    }

    @Test func aSecondStopIsAtOnceAndAThirdKills() {
        var machine = Self.running()
        _ = machine.handle(.stopRequested, atMs: 0)
        #expect(
            machine.handle(.stopRequested, atMs: 10) == [
                .say("stopping immediately"), .signal(0, SIGQUIT), .signal(1, SIGKILL), .signal(2, SIGKILL),
                .signal(3, SIGKILL),
            ]
        )
        #expect(machine.nextDeadlineMs == 10_010)
        #expect(machine.handle(.stopRequested, atMs: 20) == (0...3).map { .signal($0, 9) })
        for index in 0...2 { #expect(machine.handle(.ended(index, how: ""), atMs: 30) == []) }
        #expect(machine.handle(.ended(3, how: ""), atMs: 40) == [.over(0)])
    }

    @Test func childThatDoesNotStopInTimeIsKilled() {
        var machine = Self.running()
        _ = machine.handle(.stopRequested, atMs: 0)
        _ = machine.handle(.timePassed, atMs: 2_000)
        #expect(machine.nextDeadlineMs == 15_000)
        #expect(
            machine.handle(.timePassed, atMs: 15_000) == [
                .say("gateway did not end within 15s"), .signal(3, SIGKILL),
            ]
        )
        #expect(machine.nextDeadlineMs == 25_000)
        #expect(machine.handle(.timePassed, atMs: 25_000) == [.signal(3, 9)])
    }

    @Test func aChildThatWaitsForItsRestartIsNotStartedIntoAStop() {
        var machine = Self.running()
        _ = machine.handle(.ended(2, how: "died"), atMs: 0)
        #expect(machine.handle(.stopRequested, atMs: 500) == [.say("stopping"), .signal(3, SIGTERM)])
        #expect(machine.handle(.timePassed, atMs: 1_500) == [])
        #expect(machine.handle(.ended(3, how: ""), atMs: 1_600) == [.signal(1, SIGTERM)])
    }

    @Test func aStopBeforeTheDatabaseIsReady() {
        var machine = Self.machine()
        _ = machine.handle(.begun, atMs: 0)
        #expect(machine.handle(.stopRequested, atMs: 1) == [.say("stopping"), .signal(0, SIGINT)])
        // Too late.
        #expect(machine.handle(.databaseAccepted, atMs: 2) == [])
        #expect(machine.handle(.ended(0, how: ""), atMs: 3) == [.over(0)])
    }
}

@Suite struct LogFileTests {
    @Test func errorsOfAnEarlierRunOfAChildAreNotReported() throws {
        var template = Array("/tmp/carillon-log-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        let path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        let folder = try FolderHandle.open(path)
        let log = LogFile(folder: folder, name: "scheduler.log")
        let descriptor = try log.open()
        defer {
            folder.remove("scheduler.log")
            rmdir(path)
        }
        func append(_ line: String) {
            let bytes = Array((line + "\n").utf8)
            #expect(write(descriptor, bytes, bytes.count) == bytes.count)
        }
        append("2026-01-01T00:00:00.000Z WARNING carillon-scheduler lease lost")
        let begin = log.size
        #expect(log.lastLines(count: 10, from: begin).isEmpty)
        append("2026-01-02T00:00:00.000Z ERROR carillon-scheduler the database cannot be reached")
        append("2026-01-02T00:00:00.001Z INFO  carillon-scheduler a WARNING of something else")
        close(descriptor)
        let lines = log.lastLines(count: 10, from: begin)
        #expect(lines.map(LogFile.isComplaint) == [true, false])
        #expect(log.lastLines(count: 10).count == 3)
        #expect(LogFile(folder: folder, name: "missing").size == 0)
    }
}
