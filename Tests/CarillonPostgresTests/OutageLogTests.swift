import Testing

@testable import CarillonPostgres

@Suite struct OutageLogTests {
    private let log = LogLines()

    @Test func `each reason is logged once, with a message that fits, whichever connection has it`() {
        let outage = OutageLog(logger: log.logger)
        outage.failed(.writer, DatabaseError(.connection, "server closed the connection unexpectedly"))
        outage.failed(.lease, DatabaseError(.connection, "server closed the connection unexpectedly"))
        outage.failed(.writer, DatabaseError(.connection, "connection to 10.0.0.1, port 5432 failed: refused"))
        outage.failed(.writer, DatabaseError(.connection, "connection to 10.0.0.1, port 5433 failed: refused"))
        outage.failed(.lease, DatabaseError(.rejected, "FATAL: password authentication failed for user \"x\""))
        outage.failed(.loader, DatabaseError(.timeout, "the database does not answer"))
        for _ in 0..<4 {
            outage.refused(.lease, DatabaseError(.statement("42501"), "permission denied for table shards"))
        }
        let lines = log.lines.values
        #expect(lines.count == 5, "\(lines)")
        #expect(lines[0].contains("database unreachable") && lines[0].contains("server closed"))
        #expect(lines[1].contains("refused"))
        #expect(lines[2].contains("database refused the session") && lines[2].contains("password"))
        #expect(lines[3].contains("database not answering in time"))
        #expect(lines[4].contains("database refused a statement") && lines[4].contains("42501"))
    }

    @Test func `the recovery is logged once, when all connections are open`() {
        let outage = OutageLog(logger: log.logger)
        outage.failed(.writer, DatabaseError(.connection, "a"))
        outage.failed(.lease, DatabaseError(.connection, "a"))
        outage.connected(.writer)
        #expect(log.lines.values.count == 1)
        outage.connected(.lease)
        outage.connected(.lease)
        #expect(log.lines.values.count == 2)
        #expect(log.lines.values[1].contains("database available again"))
    }

    @Test func `the number of logged reasons is limited`() {
        let outage = OutageLog(logger: log.logger)
        for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" {
            outage.failed(.writer, DatabaseError(.connection, String(letter)))
        }
        #expect(log.lines.values.count == 32)
    }
}
