import CarillonCore
import Testing

@Suite("Where requests are answered, and when they end")
struct RequestMachineTests {
    private static let changing: [Request] = RequestBench.allRequests.filter { request in
        switch request {
        case .createJob, .updateJob, .deleteJob, .pauseJob, .resumeJob, .runJob, .cancelExecution, .executeNow,
            .refreshSchedule, .watchExecutions:
            true
        default: false
        }
    }

    @Test("a standby rejects changes and watches with the leader's address", arguments: changing)
    func standbyRefuses(request: Request) {
        var bench = RequestBench(leads: false)
        bench.ask(request)
        #expect(bench.actions.count == 1)
        #expect(bench.error?.code == .notLeader)
        #expect(bench.error?.leaderAddress == RequestBench.leader)
        #expect(bench.machine.openCount == 0)
    }

    @Test("a standby without a known leader reports that")
    func noLeader() {
        var bench = RequestBench(leads: false)
        bench.tell(.leadershipChanged(.standingBy(leader: nil)))
        bench.ask(.pauseJob(RequestBench.id))
        #expect(bench.error?.code == .notLeader)
        #expect(bench.error?.leaderAddress == nil)
        #expect(bench.error?.retryable == true)
    }

    @Test("a standby answers reads", arguments: RequestBench.allRequests.filter { !changing.contains($0) })
    func standbyReads(request: Request) {
        var bench = RequestBench(leads: false)
        bench.ask(request)
        #expect(bench.error == nil)
        #expect(bench.actions.count == 1)
    }

    @Test("an update without settings is a read, also on a standby")
    func emptyUpdate() {
        var bench = RequestBench(leads: false)
        let requestID = bench.ask(.updateJob(RequestBench.id, JobSettings(), ifVersion: []))
        #expect(bench.reads == [.job(RequestBench.id)])
        bench.tell(.read(requestID, .job(RequestBench.sampleJob(version: 4))))
        #expect(bench.job?.version == 4)
        #expect(bench.changes.isEmpty)
    }

    @Test("every request ends with the scheduler", arguments: RequestBench.allRequests)
    func stopped(request: Request) {
        var bench = RequestBench()
        bench.ask(request)
        bench.tell(.stopped)
        #expect(bench.machine.openCount == 0)
        #expect(bench.machine.inconsistency == nil)
    }

    @Test("a failed read is answered as unavailable", arguments: RequestBench.allRequests)
    func failedRead(request: Request) {
        var bench = RequestBench()
        let requestID = bench.ask(request)
        guard !bench.reads.isEmpty else { return }
        bench.tell(.read(requestID, .failed(ReadError("connection refused"))))
        if case .watchExecutions = request {
            #expect(bench.actions.isEmpty)
        } else {
            #expect(bench.error?.code == .unavailable)
            #expect(bench.error?.text.contains("connection refused") == true)
        }
        #expect(bench.machine.openCount == 0)
    }

    @Test("a read result of the wrong kind changes nothing", arguments: RequestBench.allRequests)
    func wrongResult(request: Request) {
        var bench = RequestBench()
        let requestID = bench.ask(request)
        guard !bench.reads.isEmpty else { return }
        let isStats = if case .getExecutionStats = request { true } else { false }
        bench.tell(.read(requestID, isStats ? .jobs([], hasMore: false, total: nil) : .stats(ExecutionStats())))
        #expect(bench.changes.isEmpty)
        #expect(bench.machine.openCount == 0)
        #expect(bench.machine.inconsistency == nil)
    }

    @Test("results without a request change nothing")
    func unknownRequestIDs() {
        var bench = RequestBench()
        bench.tell(.read(99, .job(RequestBench.sampleJob())))
        #expect(bench.actions.isEmpty)
        bench.tell(.changed(99, .job(RequestBench.sampleJob())))
        #expect(bench.actions.isEmpty)
        let requestID = bench.ask(.getJob(RequestBench.id))
        bench.tell(.changed(requestID, .stale))
        #expect(bench.actions.isEmpty)
        bench.tell(.requested(requestID, .getCluster, from: 1))
        #expect(bench.actions.isEmpty)
    }

    @Test("requests of an ended connection are dropped, except for changes in the dispatcher")
    func connectionEnded() {
        var bench = RequestBench()
        let reading = bench.ask(.getJob(RequestBench.id), from: 1)
        let other = bench.ask(.getJob(RequestBench.id), from: 2)
        let changing = bench.ask(.cancelExecution(RequestBench.id, RequestBench.executionID), from: 1)
        bench.tell(.connectionEnded(1))
        #expect(bench.replies.map(\.requestID) == [reading])
        bench.tell(.read(reading, .job(RequestBench.sampleJob())))
        #expect(bench.actions.isEmpty)
        bench.tell(.changed(changing, .execution(RequestBench.sampleExecution(.cancelled))))
        #expect(bench.replies.map(\.requestID) == [changing])
        bench.tell(.read(other, .job(RequestBench.sampleJob())))
        #expect(bench.replies.map(\.requestID) == [other])
    }

    @Test("the end of a lead ends watches and requests that need a leader")
    func leadLost() {
        var bench = RequestBench()
        let reading = bench.ask(.getJob(RequestBench.id))
        let update = bench.ask(.updateJob(RequestBench.id, RequestBench.priority, ifVersion: []))
        let watch = bench.ask(.watchExecutions(RequestBench.id))
        let cancel = bench.ask(.cancelExecution(RequestBench.id, RequestBench.executionID))
        bench.tell(.leadershipChanged(.standingBy(leader: RequestBench.leader)))
        guard case .endAllWatches(let error) = bench.actions.first else {
            Issue.record("watches go on: \(bench.actions)")
            return
        }
        #expect(error.code == .notLeader)
        #expect(bench.replies.map(\.requestID) == [update])
        let ended = bench.actions.contains { if case .endWatch(watch, _) = $0 { true } else { false } }
        #expect(ended)
        #expect(bench.machine.openCount == 2, "the read and the change in the dispatcher")
        bench.tell(.changed(cancel, .refused(ClientError(.notLeader, "gone"))))
        #expect(bench.error?.text == "gone")
        bench.tell(.read(reading, .job(RequestBench.sampleJob())))
        #expect(bench.job != nil)
    }

    @Test("a lead under another epoch ends watches; the same lead does not")
    func anotherEpoch() {
        var bench = RequestBench()
        bench.tell(.leadershipChanged(.leading(epoch: 7)))
        #expect(bench.actions.isEmpty)
        bench.tell(.leadershipChanged(.leading(epoch: 8)))
        #expect(bench.actions.count == 1)
    }

    @Test("the lead may end between the read and the change")
    func leadLostWhileReading() {
        var bench = RequestBench()
        let requestID = bench.ask(.pauseJob(RequestBench.id))
        bench.tell(.leadershipChanged(.standingBy(leader: nil)))
        #expect(bench.error?.code == .notLeader)
        bench.tell(.read(requestID, .job(RequestBench.sampleJob())))
        #expect(bench.actions.isEmpty)
    }
}
