import Glibc
import TestSupport
import Testing

/// Faults of the database's host: a primary that hangs while its standby is promoted, and a full disk.
extension FaultTests {
    @Test func primaryHangsAndItsStandbyIsPromoted() async throws {
        let audit = try await scenario(
            "SIGSTOP of the primary's host, and its synchronous standby promoted after 5 s",
            schedulers: 2,
            withStandby: true
        ) { system, until in
            try await pause(2)
            try system.cluster.suspend()
            try await pause(5)
            // The old primary stays hung.
            try system.failOver()
            try await system.untilServing()
            try await pause(max(4, until - Stopwatch.now))
        }
        // 5 s without a primary, plus the time to leave the hung host and to take the lease.
        #expect(audit.longestSilenceMs < 25_000)
    }

    @Test(.enabled(if: PostgresCluster.canLimitDisk, "mounting a small disk needs root"))
    func diskIsFull() async throws {
        let length = Self.isLong ? 20.0 : 6
        _ = try await scenario("the database's disk full for \(Int(length)) s", diskMegabytes: 400) { system, until in
            try await pause(2)
            try system.cluster.fillDisk()
            let end = Stopwatch.now + length
            var isCounted = false
            while Stopwatch.now < end {
                try await pause(0.5)
                isCounted = isCounted || system.schedulers[0].text.contains("No space left on device")
            }
            #expect(isCounted || !system.cluster.isRunning, "the disk was never full for the database")
            try system.cluster.freeDisk()
            // PostgreSQL stops if it cannot write its log; an operator would restart it.
            if !system.cluster.isRunning { try system.cluster.start() }
            try await system.untilServing()
            try await pause(max(4, until - Stopwatch.now))
        }
    }
}
