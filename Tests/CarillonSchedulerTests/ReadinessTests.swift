import CarillonCore
import Logging
import Synchronization
import TestSupport
import Testing

@testable import CarillonScheduler

@Suite struct ReadinessTests {
    private let words = StoreHealth.Failure(message: "No space left on device", state: "53100", ageMs: 10)

    private func snapshot(leading: Bool, leader: String?) -> StatusSnapshot {
        let snapshot = StatusSnapshot()
        snapshot.ownAddress = "one:7070"
        var status = Status()
        status.isLeading = leading
        status.epoch = leading ? 7 : nil
        snapshot.update(status)
        snapshot.leaderAddress = leader
        return snapshot
    }

    @Test func `a leader and a standby are ready while the database answers`() {
        let healthy = StoreHealth(batch: .init(waitedMs: 10, failure: words), lease: .init(waitedMs: 900))
        let leader = snapshot(leading: true, leader: nil).readiness(of: healthy, limitMs: 5_000)
        #expect(leader.isReady && leader.text == "leading, epoch 7")
        let standby = snapshot(leading: false, leader: "two:7070").readiness(of: healthy, limitMs: 5_000)
        #expect(standby.isReady && standby.text == "standing by; two:7070 leads")
    }

    @Test func `a leader whose batch waits is not ready, with the reason`() {
        let waiting = StoreHealth(batch: .init(waitedMs: 6_000, failure: words), lease: .init(waitedMs: 900))
        let leader = snapshot(leading: true, leader: nil).readiness(of: waiting, limitMs: 5_000)
        #expect(!leader.isReady)
        #expect(leader.text.contains("No space left on device (SQLSTATE 53100)"), "\(leader.text)")
    }

    @Test func `a standby does not name a leader while the database does not answer`() {
        let silent = StoreHealth(lease: .init(waitedMs: 6_000))
        let standby = snapshot(leading: false, leader: "two:7070").readiness(of: silent, limitMs: 5_000)
        #expect(!standby.isReady && !standby.text.contains("two:7070"), "\(standby.text)")
    }

    @Test func `a leader that cannot read its jobs is not ready, with the database's message`() {
        let words = StoreHealth.Failure(message: "permission denied for table jobs", state: "42501", ageMs: 10)
        let loading = StoreHealth(lease: .init(waitedMs: 100), load: .init(waitedMs: 6_000, failure: words))
        let ready = snapshot(leading: false, leader: nil).readiness(of: loading, limitMs: 5_000)
        #expect(!ready.isReady && ready.text.contains("permission denied for table jobs"), "\(ready.text)")
    }

    @Test func `refused rows are logged in one line, with their number and the first reason`() {
        let lines = Lines()
        let log = RefusalLog(Logger(label: "test") { _ in lines })
        var now = BootTime(nanoseconds: 1_000_000_000)
        for row in 1...400 {
            log.add("reason \(row)", at: now)
            log.write(at: now)
            now = now + 10
        }
        log.write(at: now + 999)
        #expect(lines.all == ["rows refused by the database rows=400 reason 1"])
        log.add("another", at: now + 1_000)
        #expect(log.write(at: now + 1_500) == now + 2_000)
        #expect(log.write(at: now + 2_000) == nil)
        #expect(log.write(at: now + 9_000) == nil)
        #expect(lines.all.last == "rows refused by the database rows=1 another")
        #expect(lines.all.count == 2)
    }

    @Test func `an endless series of refused rows is logged every ten seconds`() {
        let lines = Lines()
        let log = RefusalLog(Logger(label: "test") { _ in lines })
        var now = BootTime(nanoseconds: 1_000_000_000)
        for turn in 0..<300 {
            log.add("reason", at: now)
            let due = log.write(at: now)
            if turn == 50 { #expect(due == now + 1_000) }
            if turn == 95 { #expect(due == now + 500) }
            now = now + 100
        }
        #expect(lines.all.count == 2)
    }

    private final class Lines: LogHandler, Sendable {
        private let held = Mutex<[String]>([])

        var all: [String] { held.withLock { $0 } }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .info }
            set {}
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }

        func log(event: LogEvent) {
            let metadata = event.metadata ?? [:]
            let text = "\(event.message) rows=\(metadata["rows"] ?? "") \(metadata["first_error"] ?? "")"
            held.withLock { $0.append(text) }
        }
    }
}
