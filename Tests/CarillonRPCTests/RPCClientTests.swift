import CarillonClient
import CarillonCore
import CarillonJSON
import CarillonRPC
import CarillonRuntime
import CarillonWire
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct RPCClientTests {
    @Test func aRequestByNameAndATypedOne() async throws {
        let station = try await Station.open()
        let client = client(station)
        let value = try await client.call("refresh_schedule", [:])
        #expect(value == ["status": "SCHEDULE_REFRESHED", "jobs": 1])
        #expect(try await client.request(.refreshSchedule) == .scheduleRefreshed(status: "SCHEDULE_REFRESHED", jobs: 1))
        #expect(client.peers.map(\.scheduler) == [station.address])
        await client.close()
        _ = await station.scheduler.disconnection()
        await station.server.stop()
    }

    @Test func wrongArgumentsAreNotSent() async throws {
        let client = client([HostPort(host: "127.0.0.1", port: 1)])
        await #expect(throws: ClientError.self) { try await client.call("get_job", ["job_id": "x"]) }
        await #expect(throws: ClientError.self) { try await client.call("no_such", [:]) }
        await client.close()
    }

    @Test func errorsOfTheSchedulerAreThrown() async throws {
        let station = try await Station.open()
        let refusal = ClientError(.alreadyExists, "taken", reason: .nameTaken)
        station.scheduler.behave { $0.answer = { _ in .error(refusal) } }
        let client = client(station)
        await #expect(throws: refusal) { try await client.call("get_cluster", [:]) }
        await client.close()
        await station.server.stop()
    }

    @Test func manyAtOnce() async throws {
        let station = try await Station.open()
        station.scheduler.behave {
            $0.answer = { if case .getJob(let id) = $0 { .answer(.deleted(id)) } else { nil } }
        }
        let client = client(station)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for number in 0..<2_000 as Range<UInt64> {
                group.addTask {
                    let id = JobID(UniqueID(high: 1, low: number))
                    return try await client.request(.getJob(id)) == .deleted(id)
                }
            }
            for try await isRight in group { #expect(isRight) }
        }
        await client.close()
        await station.server.stop()
    }

    @Test func `a client sends its next request to the sender of a Lead`() async throws {
        let stations = [try await Station.open(1), try await Station.open(2)]
        for station in stations {
            station.scheduler.behave {
                $0.leading = false
                $0.answer = { _ in .answer(.scheduleRefreshed(status: station.address, jobs: 1)) }
            }
        }
        let client = client(stations[0], stations[1])
        var ids: [ConnectionID] = []
        for station in stations { ids.append(await station.scheduler.nextConnection().id) }
        for index in [1, 0, 1] {
            let (station, other) = (stations[index], stations[1 - index])
            other.scheduler.link(ids[1 - index])?.send([Envelope(.lead(LeadProof(epoch: 5), shards: []))])
            station.scheduler.link(ids[index])?.send([Envelope(.lead(LeadProof(epoch: 6), shards: [0, 1]))])
            // Reads go to all schedulers in turn; each scheduler's answer arrives after its Lead.
            var heard: Set<String> = []
            while heard.count < stations.count {
                let answer = try await client.request(.getJob(JobID(UniqueID(high: 1, low: 1))))
                if case .scheduleRefreshed(let address, _) = answer { heard.insert(address) }
            }
            let value = try await client.call("refresh_schedule", [:])
            #expect(value["status"] == .string(station.address))
        }
        await client.close()
        for station in stations { await station.server.stop() }
    }

    @Test func notLeaderIsFollowed() async throws {
        let leader = try await Station.open(1)
        let standby = try await Station.open(2)
        standby.scheduler.behave {
            $0.leading = false
            $0.answer = { _ in .error(ClientError(.notLeader, "no", leaderAddress: leader.address)) }
        }
        // The client knows only the standby, which names the leader.
        let client = client(standby)
        #expect(try await client.call("run_job", ["job_id": .string(UniqueID.zero.description)])["jobs"] == 1)
        #expect(client.peers.count == 2 && client.reasonsForNoConnection == nil)
        await client.close()
        await leader.server.stop()
        await standby.server.stop()
    }

    @Test func leaderIsFoundWhenNoneLedAtFirst() async throws {
        // As after a cold start: no scheduler leads yet, and the database still names the former leader.
        let former = try await Station.open(1)
        let leader = try await Station.open(2)
        for station in [former, leader] {
            station.scheduler.behave {
                $0.leading = false
                $0.leaderAddress = former.address
            }
        }
        let client = client(former, leader)
        _ = await former.scheduler.nextConnection()
        _ = await leader.scheduler.nextConnection()
        while client.peers.count < 2 { await Task.yield() }
        former.scheduler.behave { $0.answer = { _ in .answer(.cluster(cluster(leader: leader.address))) } }
        leader.scheduler.behave { $0.answer = { _ in .answer(.cluster(cluster(leader: nil))) } }
        for _ in 0..<4 { #expect(try await client.call("get_cluster", [:])["leading"] == true) }
        // The standby's answer is returned when the leader does not answer.
        await leader.server.stop()
        while client.peers.count > 1 { await Task.yield() }
        #expect(try await client.call("get_cluster", [:])["leading"] == false)
        await client.close()
        await former.server.stop()
    }

    /// The cluster as described by the leader, or by a standby that names it.
    private func cluster(leader: String?) -> ClusterView {
        ClusterView(
            serverID: .zero,
            leading: leader == nil,
            epoch: nil,
            leaderAddress: leader,
            clusterTime: Timestamp(seconds: 1),
            databaseSkewMs: 0,
            databaseConnected: true,
            jobs: 0,
            activeJobs: 0,
            heapSize: 0,
            readyQueueDepth: 0,
            openExecutions: 0,
            shards: [],
            workers: [],
            version: "test",
            timeZoneDataVersion: "test",
            startedAt: Timestamp(seconds: 1)
        )
    }

    @Test func readsGoToAnyScheduler() async throws {
        let one = try await Station.open(1)
        let other = try await Station.open(2)
        for station in [one, other] {
            station.scheduler.behave { $0.answer = { _ in .answer(.deleted(JobID(.zero))) } }
        }
        let client = client(one, other)
        _ = await one.scheduler.nextConnection()
        _ = await other.scheduler.nextConnection()
        while client.peers.count < 2 { await Task.yield() }
        for _ in 0..<10 { _ = try await client.request(.getJob(JobID(.zero))) }
        for station in [one, other] {
            #expect(station.scheduler.journal.elements.contains { if case .received = $0 { true } else { false } })
        }
        await client.close()
        await one.server.stop()
        await other.server.stop()
    }

    @Test func aRequestWaitsForATakeOver() async throws {
        let old = try await Station.open(1)
        let new = try await Station.open(2)
        new.scheduler.behave {
            $0.leading = false
            $0.answer = { _ in .error(ClientError(.notLeader, "not yet")) }
        }
        let client = client(old, new)
        _ = try await client.call("refresh_schedule", [:])
        await old.server.stop()
        let request = Task { try await client.call("run_job", ["job_id": .string(UniqueID.zero.description)]) }
        // After its refusal the standby becomes the leader.
        _ = await new.scheduler.journal.first { if case .received = $0 { true } else { false } }
        new.scheduler.behave { $0.answer = { _ in .answer(.scheduleRefreshed(status: "new", jobs: 2)) } }
        #expect(try await request.value["status"] == "new")
        await client.close()
        await new.server.stop()
    }

    @Test func noSchedulerListens() async throws {
        let client = client([HostPort(host: "127.0.0.1", port: 1)], takeOverWait: .milliseconds(300))
        let reason = "127.0.0.1:1 (Connection refused)"
        do throws(ClientError) {
            _ = try await client.call("get_cluster", [:])
            Issue.record("an answer from nobody")
        } catch {
            #expect(error.code == .unavailable)
            #expect(
                error.text == "no scheduler took get_cluster within 0.3 seconds: \(reason)"
            )
        }
        #expect(client.reasonsForNoConnection == reason)
        await client.close()
    }

    @Test func aNameThatDoesNotResolve() async throws {
        let client = client([HostPort(host: "no-such-host.invalid", port: 7070)], takeOverWait: .milliseconds(500))
        do throws(ClientError) {
            _ = try await client.call("get_cluster", [:])
        } catch {
            #expect(error.text.contains("no-such-host.invalid"))
        }
        await client.close()
    }

    @Test func onlyHarmlessRequestsAreRepeatedAfterACut() async throws {
        // The server accepts a request and closes the connection, once.
        for (name, arguments, isRepeated) in [
            ("run_job", ["job_id": .string(UniqueID.zero.description)] as JSONValue, false),
            ("pause_job", ["job_id": .string(UniqueID.zero.description)], false),
            ("run_job", ["job_id": .string(UniqueID.zero.description), "idempotency_key": "k"], true),
            ("create_job", ["schedule": "x", "api_url": "y", "idempotency_key": "k"], true),
            ("create_job", ["schedule": "x", "api_url": "y"], false),
            ("get_job", ["job_id": .string(UniqueID.zero.description)], true),
        ] {
            let station = try await Station.open()
            station.scheduler.behave { $0.answer = { _ in nil } }
            let client = client(station)
            let (first, _) = await station.scheduler.nextConnection()
            let request = Task { try await client.call(name, arguments) }
            _ = await station.scheduler.journal.first { if case .received = $0 { true } else { false } }
            station.scheduler.behave { $0.answer = { _ in .answer(.deleted(JobID(.zero))) } }
            station.scheduler.link(first)?.close(why: "cut")
            let result = await request.result
            if isRepeated {
                #expect(try result.get()["job_id"] != nil, "\(name)")
            } else {
                let error = #expect(throws: ClientError.self) { try result.get() }
                #expect(error?.code == .unavailable)
                #expect(error?.text.contains("whether it was performed is unknown") == true)
            }
            await client.close()
            await station.server.stop()
        }
    }

    @Test func noAnswerInTime() async throws {
        let station = try await Station.open()
        station.scheduler.behave { $0.answer = { _ in nil } }
        let client = client(station, timeout: .milliseconds(200))
        let error = await #expect(throws: ClientError.self) {
            try await client.call("pause_job", ["job_id": .string(UniqueID.zero.description)])
        }
        #expect(error?.text.contains("within 0.2 seconds; whether it was performed is unknown") == true)
        await client.close()
        await station.server.stop()
    }

    @Test func aCancelledTaskStopsWaiting() async throws {
        let station = try await Station.open()
        station.scheduler.behave { $0.answer = { _ in nil } }
        let client = client(station)
        let request = Task { try await client.call("get_cluster", [:]) }
        _ = await station.scheduler.journal.first { if case .received = $0 { true } else { false } }
        request.cancel()
        await #expect(throws: ClientError.self) { try await request.value }
        // A request that waits for a scheduler.
        let lonely = RPCClientTests.lonely()
        let waiting = Task { try await lonely.call("get_cluster", [:]) }
        waiting.cancel()
        await #expect(throws: ClientError.self) { try await waiting.value }
        await lonely.close()
        await client.close()
        await station.server.stop()
    }

    private static func lonely() -> RPCClient {
        client([HostPort(host: "127.0.0.1", port: 1)])
    }

    @Test func closingEndsAllWaiting() async throws {
        let station = try await Station.open()
        station.scheduler.behave { $0.answer = { _ in nil } }
        let client = client(station)
        let request = Task { try await client.call("get_cluster", [:]) }
        _ = await station.scheduler.journal.first { if case .received = $0 { true } else { false } }
        await client.close()
        let error = await #expect(throws: ClientError.self) { try await request.value }
        #expect(error?.text == "this client is closed")
        await station.server.stop()
    }

    @Test func aPing() async throws {
        let station = try await Station.open()
        let client = client(station)
        let (roundTrip, address) = try await client.ping()
        #expect(roundTrip > .zero && roundTrip < .seconds(30))
        #expect(address == station.address)
        await client.close()
        await station.server.stop()
    }

    @Test func aWatchGoesOnWithTheNextScheduler() async throws {
        let one = try await Station.open(1)
        let other = try await Station.open(2)
        let row = Execution(
            id: ExecutionID(.zero),
            jobID: JobID(.zero),
            trigger: .manual,
            scheduledTime: Timestamp(seconds: 0),
            status: .success,
            createdAt: Timestamp(seconds: 0)
        )
        one.scheduler.behave {
            $0.answer = { request in
                if case .watchExecutions = request {
                    .answer(.execution(row, failedAttempts: [], url: nil))
                } else {
                    nil
                }
            }
        }
        other.scheduler.behave {
            $0.leading = false
            $0.answer = { _ in .error(ClientError(.notLeader, "no", leaderAddress: one.address)) }
        }
        let client = client(one, other)
        var changes = client.watch([:]).makeAsyncIterator()
        #expect(try await changes.next()?["status"] == "SUCCESS")
        // The leader stops, and the other scheduler takes over.
        other.scheduler.behave {
            $0.answer = { request in
                var row = row
                row.status = .failed
                return if case .watchExecutions = request {
                    .answer(.execution(row, failedAttempts: [], url: nil))
                } else { nil }
            }
        }
        await one.server.stop()
        #expect(try await changes.next()?["status"] == "FAILED")
        await client.close()
        await other.server.stop()
    }

    @Test func anAbandonedWatchIsStopped() async throws {
        let station = try await Station.open()
        let row = Execution(
            id: ExecutionID(.zero),
            jobID: JobID(.zero),
            trigger: .manual,
            scheduledTime: Timestamp(seconds: 0),
            status: .success,
            createdAt: Timestamp(seconds: 0)
        )
        station.scheduler.behave { $0.answer = { _ in .answer(.execution(row, failedAttempts: [], url: nil)) } }
        let client = client(station)
        for try await _ in client.watch([:]) { break }
        _ = await station.scheduler.journal.first {
            if case .received(_, let envelopes) = $0 { envelopes.names.contains("stop_watching") } else { false }
        }
        await client.close()
        await station.server.stop()
    }

    @Test func aWatchWithWrongArguments() async throws {
        let client = client([HostPort(host: "127.0.0.1", port: 1)], takeOverWait: .milliseconds(200))
        await #expect(throws: ClientError.self) { for try await _ in client.watch(["job": 1]) {} }
        await client.close()
    }
}
