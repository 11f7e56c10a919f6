import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonWire
import Glibc
import TestSupport
import Testing

/// The main job on real processes, and operations on jobs.
@Suite(.serialized, .alone, .timeLimit(.minutes(5)))
struct MainJobTests {
    private func withSystem(
        settings: [String: String] = [:],
        _ body: (TestSystem) async throws -> Void
    ) async throws {
        let system = try await TestSystem(settings: settings)
        do {
            try await system.start()
            try await body(system)
            try await system.stop()
        } catch {
            for node in system.schedulers + system.workers { print("--- \(node.name)\n\(node.text.suffix(2_000))") }
            try? await system.stop()
            throw error
        }
    }

    private func untilCalled(_ system: TestSystem, _ count: Int) async throws {
        while system.target.count < count { try await Task.sleep(for: .milliseconds(10)) }
    }

    @Test func aJobIsCalledOnTimeWithWhatItShouldSay() async throws {
        try await withSystem { system in
            let job = try await system.client.call(
                "create_job",
                [
                    "schedule": "*/2 * * * * *", "api_url": .string(system.target.url("/ok")), "name": "even",
                    "headers": ["X-Team": "a"],
                ]
            )
            let id = try #require(job["job_id"]?.string)
            try await untilCalled(system, 3)
            for call in system.target.calls {
                let second = Int(call.scheduledTime.dropLast().suffix(2)) ?? 1
                #expect(second.isMultiple(of: 2) && call.scheduledTime.hasSuffix("Z"))
                #expect(call.jobID == id && call.attempt == 1 && call.headers["x-team"] == "a")
                #expect(call.headers["x-carillon-execution-id"] == call.key && call.key.count == 36)
                #expect(call.headers["user-agent"]?.hasPrefix("Carillon/") == true)
                #expect(call.headers["traceparent"]?.split(separator: "-").count == 4)
                #expect(call.headers["content-type"] == "application/json")
                let body = try JSONText.read(call.body)
                #expect(body["job_id"]?.string == id && body["execution_id"]?.string == call.key)
                #expect(body["scheduled_time"]?.string == call.scheduledTime && body["actual_time"]?.string != nil)
            }
            let listed = try system.carillon(["execution", "list", "even", "--output", "json", "--status", "SUCCESS"])
            #expect(listed.contains(system.target.calls[0].key))
        }
    }

    @Test func aWatchOfAJobThatNeverWasEnds() async throws {
        try await withSystem { system in
            do {
                for try await _ in system.client.watch(["job_id": "019abcde-0000-7000-8000-000000000001"]) {}
                Issue.record("the watch of an unknown job ended without an error")
            } catch let error as ClientError {
                #expect(error.code == .notFound && error.text.hasSuffix(" never existed"), "\(error)")
            }
            // For a deleted job the watch reports the end of its last call.
            system.target.set(.holding)
            let job = try await system.client.call(
                "create_job",
                ["schedule": "* * * * * *", "api_url": .string(system.target.url("/ok"))]
            )
            let id = try #require(job["job_id"]?.string)
            try await untilCalled(system, 1)
            _ = try await system.client.call("delete_job", ["job_id": .string(id)])
            let peer = try await RawPeer.connect(system.schedulerPorts[0])
            peer.hello(.client)
            peer.write(.request(.watchExecutions(UniqueID(id).map(JobID.init))), id: 1)
            peer.write(.request(.getCluster), id: 2)
            while !peer.received.contains(where: { $0.id == 2 }) { try await Task.sleep(for: .milliseconds(10)) }
            system.target.set(nil)
            var told: Message? { peer.received.first { $0.id == 1 }?.message }
            while told == nil { try await Task.sleep(for: .milliseconds(10)) }
            guard case .answer(.execution(let execution, _, _))? = told else {
                Issue.record("\(String(describing: told))")
                return
            }
            #expect(execution.status == .success && execution.jobID.description == id)
            peer.close()
        }
    }

    /// A row that was changed with psql, and that the leader has not read again yet, can be changed by clients.
    @Test func jobsEditedInSQLCanBeChanged() async throws {
        try await withSystem { system in
            let job = try await system.client.call(
                "create_job",
                ["schedule": "* * * * * *", "api_url": .string(system.target.url("/ok"))]
            )
            let id: JSONValue = .string(try #require(job["job_id"]?.string))
            try system.psql("UPDATE jobs SET priority = 9")
            let paused = try await system.client.call("pause_job", ["job_id": id])
            #expect(paused["active"] == .bool(false) && paused["priority"]?.integer == 9)
            try system.psql("UPDATE jobs SET priority = 10")
            let run = try await system.client.call("run_job", ["job_id": id])
            #expect(run["trigger"]?.string == "MANUAL")
            try system.psql("UPDATE jobs SET priority = 11")
            _ = try await system.client.call("delete_job", ["job_id": id])
        }
    }

    /// A long transaction writes its change time before other transactions do, and becomes visible after them.
    @Test func editsOfALongTransactionAreFound() async throws {
        try await withSystem { system in
            _ = try await system.client.call(
                "create_job",
                ["schedule": "0 0 0 1 1 *", "api_url": .string(system.target.url("/ok")), "name": "slow"]
            )
            async let change = system.psqlAside(
                "BEGIN; UPDATE jobs SET schedule = '* * * * * *' WHERE name = 'slow'; SELECT pg_sleep(14); COMMIT"
            )
            while try system.psql("SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'").isEmpty {
                try await Task.sleep(for: .milliseconds(20))
            }
            _ = try await system.client.call("refresh_schedule", [:])
            _ = try await change
            _ = try await system.client.call("refresh_schedule", [:])
            try await untilCalled(system, 1)
        }
    }

    /// Inserting many jobs at once does not delay running jobs.
    @Test func manyJobsMadeByHandComeInWithoutHarm() async throws {
        try await withSystem { system in
            _ = try await system.client.call(
                "create_job",
                ["schedule": "* * * * * *", "api_url": .string(system.target.url("/ok"))]
            )
            try await untilCalled(system, 1)
            try system.psql(
                """
                INSERT INTO jobs (job_id, schedule, api_url)
                SELECT gen_random_uuid(), '0 0 0 1 1 *', 'http://127.0.0.1:1/' FROM generate_series(1, 20000)
                """
            )
            _ = try await system.client.call("refresh_schedule", [:])
            while try await system.client.call("get_cluster", [:])["jobs"]?.integer != 20_001 {
                try await Task.sleep(for: .milliseconds(20))
            }
            try await untilCalled(system, 5)
            let late = try system.psql("SELECT count(*) FROM job_executions WHERE drift_ms > 2000")
            #expect(late == "0")
        }
    }

    /// New time zone data takes effect for loaded jobs without a restart.
    @Test func newRulesOfATimeZoneRearmItsJobs() async throws {
        let zones = "/tmp/carillon-zones-\(getpid())"
        try ChildProgram.run("/bin/mkdir", ["-p", zones + "/Test"])
        defer { _ = try? ChildProgram.run("/bin/rm", ["-rf", zones]) }
        try ChildProgram.run("/bin/cp", ["/usr/share/zoneinfo/Etc/GMT", zones + "/Test/Zone"])
        try await withSystem(settings: ["TZDIR": zones, "REFRESH_INTERVAL": "1s"]) { system in
            // The schedule is due every second of the current hour in a zone ten hours further east.
            var time = time(nil) + 36_000
            var parts = tm()
            gmtime_r(&time, &parts)
            let hour = parts.tm_min < 58 ? "\(parts.tm_hour)" : "\(parts.tm_hour),\((parts.tm_hour + 1) % 24)"
            let job = try await system.client.call(
                "create_job",
                [
                    "schedule": .string("* * \(hour) * * *"), "time_zone": "Test/Zone",
                    "api_url": .string(system.target.url("/ok")),
                ]
            )
            #expect(job["time_zone"]?.string == "Test/Zone")
            try ChildProgram.run("/bin/cp", ["/usr/share/zoneinfo/Etc/GMT-10", zones + "/Test/Zone.new"])
            try ChildProgram.run("/bin/mv", [zones + "/Test/Zone.new", zones + "/Test/Zone"])
            try await untilCalled(system, 2)
        }
    }

    /// Rows with large texts lead to short pages, not to a response that is too large for a frame.
    @Test func largeBodiesMakeShortPages() async throws {
        try await withSystem { system in
            let body: JSONValue = .string(String(repeating: "x", count: 900_000))
            for _ in 0..<6 {
                _ = try await system.client.call(
                    "create_job",
                    ["schedule": "0 0 0 1 1 *", "api_url": .string(system.target.url("/ok")), "body": body]
                )
            }
            var (found, pages) = (0, 0)
            var cursor: JSONValue?
            repeat {
                var arguments: [JSONValue.Member] = []
                if let cursor { arguments.append(JSONValue.Member("cursor", cursor)) }
                let page = try await system.client.call("list_jobs", .object(arguments))
                found += page["jobs"]?.array?.count ?? 0
                pages += 1
                cursor = page["next_cursor"]
            } while cursor != nil && cursor != .null && pages < 20
            #expect(found == 6 && pages > 1)
        }
    }
}
