import CarillonCore
import TestSupport
import Testing

@Suite("WorkerEngine")
struct WorkerEngineTests {
    private typealias Bench = WorkerBench

    private func token(_ sequence: UInt64, epoch: Int64 = 1) -> DispatchToken {
        DispatchToken(epoch: epoch, sequence: sequence)
    }
    private func recorded(_ tokens: [DispatchToken]) -> [AcknowledgedOutcome] {
        tokens.map { AcknowledgedOutcome($0, .recorded) }
    }

    // MARK: Lead and credit

    @Test("a leader is answered with Holding, the outcomes, and then Credit")
    func answerToLead() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1), Bench.call(2), Bench.call(3)])
        bench.turn(.disconnected(1))
        bench.end(token(2))
        let done = bench.lead(2, epoch: 2)
        #expect(done.order(for: 2) == ["holding", "outcome", "credit"])
        #expect(done.held(for: 2).map(\.token) == [token(1), token(3)])
        #expect(done.reported(to: 2).map(\.token) == [token(2)])
        #expect(done.granted(to: 2) == 2)
        #expect(done.logEvents == [.leaderChanged(2, epoch: 2)])
    }

    @Test("an idle worker answers with an empty Holding and all its slots")
    func idleAnswer() {
        var bench = Bench()
        let connected = bench.turn(.connected(1))
        #expect(connected.actions.isEmpty, "no credit without a Lead")
        let done = bench.turn(.leadAnnounced(1, LeadProof(epoch: 1), shards: [0]))
        #expect(done.order(for: 1) == ["holding", "credit"])
        #expect(done.granted(to: 1) == 4)
    }

    @Test("credit is cumulative, and a slot is free when its call ends")
    func credit() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let dispatched = bench.dispatch(1, [Bench.call(1), Bench.call(2)])
        #expect(dispatched.started.map(\.token) == [token(1), token(2)])
        #expect(dispatched.granted(to: 1) == nil)
        let ended = bench.end(token(1))
        #expect(ended.reported(to: 1).map(\.token) == [token(1)])
        #expect(ended.granted(to: 1) == 5)
        let acknowledged = bench.turn(.acknowledged(1, recorded([token(1)])))
        #expect(acknowledged.granted(to: 1) == nil)
        #expect(bench.engine.heldCount == 1)
    }

    @Test("a leader that acknowledges nothing gets no credit beyond four times the slots")
    func unacknowledged() {
        var bench = Bench(maxWorkers: 2)
        bench.lead(1, epoch: 1)
        var granted: [UInt64?] = []
        for sequence: UInt64 in 1...8 {
            bench.dispatch(1, [Bench.call(sequence)])
            granted.append(bench.end(token(sequence)).granted(to: 1))
        }
        #expect(granted == [3, 4, 5, 6, 7, 8, nil, nil])
        #expect(bench.engine.heldCount == 8)
        #expect(bench.engine.freeCount == 0)
        let acknowledged = bench.turn(.acknowledged(1, recorded([token(5)])))
        #expect(acknowledged.granted(to: 1) == 9)
    }

    @Test("a Lead of a lower epoch is refused; its Dispatch and Cancel are ignored")
    func lowerEpoch() {
        var bench = Bench()
        bench.lead(1, epoch: 5)
        let late = bench.lead(2, epoch: 4)
        #expect(late.refusedLeads(to: 2) == [LeadProof(epoch: 5)])
        #expect(late.order(for: 2).isEmpty)
        let stale = bench.dispatch(2, [Bench.call(1, epoch: 4)])
        #expect(stale.started.isEmpty)
        #expect(bench.engine.counters.stale == 1)
        bench.dispatch(1, [Bench.call(2, epoch: 5)])
        let cancelled = bench.turn(.cancelRequested(2, [token(2, epoch: 5)]))
        #expect(cancelled.cut.isEmpty)
    }

    @Test("the credit of a deposed leader goes to the new one")
    func takeOver() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1)])
        let done = bench.lead(2, epoch: 2)
        #expect(done.granted(to: 2) == 3)
        let late = bench.turn(.leadAnnounced(1, LeadProof(epoch: 1), shards: [0, 1]))
        #expect(late.refusedLeads(to: 1) == [LeadProof(epoch: 2)])
        #expect(late.order(for: 1).isEmpty)
        // Back to the first connection, which still has an offer of three calls.
        let again = bench.turn(.leadAnnounced(1, LeadProof(epoch: 3), shards: [0, 1]))
        #expect(again.order(for: 1) == ["holding", "credit"])
        #expect(again.granted(to: 1) == 4)
    }

    @Test("two connections to one leader share the slots")
    func twins() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let twin = bench.lead(2, epoch: 1)
        #expect(twin.granted(to: 2) == 2 && twin.granted(to: 1) == 2, "each connection is offered half of the slots")
        let disconnected = bench.turn(.disconnected(1))
        #expect(disconnected.granted(to: 2) == 4)
    }

    @Test("outcomes in flight on a lost connection are sent again on the other one")
    func twinResends() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1)])
        bench.lead(2, epoch: 1)
        let first = bench.end(token(1))
        #expect(first.reported(to: 2).count == 1)
        let again = bench.turn(.disconnected(2))
        #expect(again.reported(to: 1).map(\.token) == [token(1)])
    }

    @Test("a deposed leader gets nothing more, and later outcomes wait for the next leader")
    func leadsNoLonger() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1)])
        let lost = bench.turn(.leadAnnounced(1, LeadProof(epoch: 1), shards: []))
        #expect(lost.logEvents == [.leaderLost(epoch: 1, shards: 2)])
        #expect(bench.engine.leader == nil)
        let ended = bench.end(token(1))
        #expect(ended.actions.isEmpty)
        let next = bench.lead(2, epoch: 2)
        #expect(next.reported(to: 2).map(\.token) == [token(1)])
    }

    @Test("a call beyond the free slots is returned")
    func overflow() {
        var bench = Bench(maxWorkers: 1)
        bench.lead(1, epoch: 1)
        let done = bench.dispatch(1, [Bench.call(1), Bench.call(2)])
        #expect(done.started.count == 1)
        #expect(done.reported(to: 1).map(\.kind) == [.notStarted])
    }

    @Test("a scheduler that sends far more calls than granted is disconnected")
    func breach() {
        var bench = Bench(maxWorkers: 2)
        bench.lead(1, epoch: 1)
        let tolerated = bench.dispatch(1, (1...4).map { Bench.call($0) })
        #expect(tolerated.started.count == 2)
        #expect(tolerated.reported(to: 1).count == 2)
        let done = bench.dispatch(1, [Bench.call(5)])
        #expect(done.started.isEmpty)
        #expect(
            done.actions.contains { action in
                if case .close(1, _) = action { true } else { false }
            }
        )
        #expect(bench.engine.heldCount == 4)
    }

    // MARK: Calls

    @Test("a token runs only once, whether held or settled")
    func duplicates() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let first = bench.dispatch(1, [Bench.call(1), Bench.call(1)])
        #expect(first.started.count == 1)
        bench.end(token(1))
        let unacknowledged = bench.dispatch(1, [Bench.call(1)])
        #expect(unacknowledged.started.isEmpty)
        bench.turn(.acknowledged(1, recorded([token(1)])))
        let settled = bench.dispatch(1, [Bench.call(1)])
        #expect(settled.started.isEmpty)
        #expect(bench.engine.counters.duplicates == 3)
    }

    @Test("a relative start counts from the receipt, and times are the scheduler's plus the elapsed time")
    func relativeStart() throws {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let dispatched = bench.dispatch(1, [Bench.call(1, after: 250_000)])
        #expect(dispatched.started.isEmpty)
        #expect(bench.engine.wake == bench.now + 250)
        #expect(bench.engine.waitingCount == 1)
        bench.wait(milliseconds: 249)
        let early = bench.turn()
        #expect(early.started.isEmpty)
        bench.wait(milliseconds: 1)
        let due = bench.turn()
        let request = try #require(due.started.first)
        #expect(request.body?.contains("\"actual_time\":\"2027-01-15T08:00:00.250Z\"") == true)
        let ended = bench.end(token(1))
        #expect(ended.reported(to: 1).first?.startedAfterMicroseconds == 250_000)
    }

    @Test("Cancel aborts running calls, returns waiting ones, and keeps ended ones")
    func cancel() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1), Bench.call(2, after: 1_000_000), Bench.call(3)])
        bench.end(token(3))
        let done = bench.turn(.cancelRequested(1, [token(1), token(2), token(3), token(99)]))
        #expect(done.cut == [token(1)])
        #expect(done.reported(to: 1).map(\.kind) == [.notStarted])
        let ended = bench.end(token(1), kind: .cancelled)
        #expect(ended.reported(to: 1).map(\.kind) == [.cancelled])
        bench.wait(milliseconds: 2_000)
        let later = bench.turn()
        #expect(later.started.isEmpty)
    }

    @Test("long-running calls are reported together, and again to a new leader")
    func started() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1)])
        bench.wait(milliseconds: 10)
        bench.dispatch(1, [Bench.call(2)])
        bench.end(token(3))
        bench.wait(milliseconds: 900)
        let early = bench.turn()
        #expect(early.actions.isEmpty)
        bench.wait(milliseconds: 500)
        let told = bench.turn()
        #expect(told.toldStarted(to: 1) == [token(1), token(2)])
        bench.wait(milliseconds: 5_000)
        let quiet = bench.turn()
        #expect(quiet.actions.isEmpty)
        let next = bench.lead(2, epoch: 2)
        #expect(next.toldStarted(to: 2) == [token(1), token(2)])
    }

    @Test("texts of an outcome are limited and cut between characters")
    func boundedTexts() throws {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1, responseLimit: 5)])
        var result = bench.result(token(1), kind: .answered)
        result.response = "aéééé"
        result.errorMessage = String(repeating: "x", count: 5_000)
        let done = bench.turn(.ended([result]))
        let outcome = try #require(done.reported(to: 1).first)
        #expect(outcome.response == "aéé")
        #expect(outcome.errorMessage?.utf8.count == 1_024)
    }

    @Test("a result of a call that is not running is ignored")
    func strayResult() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let done = bench.end(token(9))
        #expect(done.actions.isEmpty)
    }

    @Test("a call of an unknown kind is returned with the reason")
    func unknownKind() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        var call = Bench.call(1)
        call.kind = .unsupported
        let done = bench.dispatch(1, [call, Bench.call(2)])
        #expect(done.started.map(\.token) == [token(2)])
        let outcome = done.reported(to: 1).first
        #expect(outcome?.token == token(1) && outcome?.kind == .notStarted)
        #expect(outcome?.errorMessage == "this worker does not support the kind of the call")
    }

    @Test("a call that cannot start before its deadline on the worker's monotonic clock is returned")
    func startBefore() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        var calls = (1...3).map { Bench.call($0, after: 200_000) }
        calls[0].startBeforeClockMicroseconds = bench.now.microseconds + 200_000
        calls[1].startBeforeClockMicroseconds = bench.now.microseconds + 200_001
        calls[2].startBeforeClockMicroseconds = bench.now.microseconds
        bench.dispatch(1, calls)
        bench.wait(milliseconds: 200)
        let done = bench.turn()
        #expect(done.started.map(\.token) == [token(2)])
        #expect(Set(done.reported(to: 1).map(\.token)) == [token(1), token(3)])
        #expect(done.reported(to: 1).allSatisfy { $0.kind == .notStarted })
        #expect(bench.engine.freeCount == 3)
    }

    // MARK: Requests

    @Test("the request has Carillon's headers and body")
    func request() throws {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let call = Bench.call(1)
        let done = bench.dispatch(1, [call])
        let request = try #require(done.started.first)
        let headers = Dictionary(uniqueKeysWithValues: request.headers.map { ($0.name, $0.value) })
        #expect(headers["Idempotency-Key"] == call.executionID.description)
        #expect(headers["User-Agent"] == "Carillon/test")
        #expect(headers["Content-Type"] == "application/json")
        #expect(headers["X-Carillon-Job-Id"] == Bench.job.description)
        #expect(headers["X-Carillon-Execution-Id"] == call.executionID.description)
        #expect(headers["X-Carillon-Scheduled-Time"] == "2027-01-15T08:00:00Z")
        #expect(headers["X-Carillon-Attempt"] == "2")
        let parts = try #require(headers["traceparent"]).split(separator: "-")
        #expect(parts.map(\.count) == [2, 32, 16, 2])
        #expect(parts[1] == call.executionID.description.split(separator: "-").joined())
        #expect(
            request.body == """
                {"job_id":"\(Bench.job)","execution_id":"\(call.executionID)",\
                "scheduled_time":"2027-01-15T08:00:00Z","actual_time":"2027-01-15T08:00:00Z"}
                """
        )
    }

    @Test("the user's User-Agent, Content-Type and body win; identifying headers are Carillon's")
    func usersHeaders() throws {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let given = [
            HTTPHeader(name: "user-agent", value: "mine"), HTTPHeader(name: "content-TYPE", value: "text/plain"),
            HTTPHeader(name: "idempotency-key", value: "forged"), HTTPHeader(name: "X-Token", value: "abc"),
        ]
        let done = bench.dispatch(1, [Bench.call(1, headers: given, body: "hi"), Bench.call(2, headers: given)])
        for (request, body) in zip(done.started, ["hi", nil]) {
            if let body { #expect(request.body == body) }
            func values(_ name: String) -> [String] {
                request.headers.filter { $0.name.lowercased() == name }.map(\.value)
            }
            #expect(values("user-agent") == ["mine"])
            #expect(values("content-type") == ["text/plain"])
            #expect(values("idempotency-key") != ["forged"])
            #expect(values("idempotency-key").count == 1)
            #expect(values("x-token") == ["abc"])
        }
    }

    @Test("only POST, PUT and PATCH have a default body", arguments: ["GET", "HEAD", "DELETE", "OPTIONS"])
    func noBody(method: String) throws {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        let done = bench.dispatch(1, [Bench.call(1, method: method), Bench.call(2, method: method, body: "x")])
        #expect(done.started.map(\.body) == [nil, "x"])
        #expect(!done.started[0].headers.contains { $0.name == "Content-Type" })
    }

    @Test("attempts of one execution are spans of one trace")
    func traces() throws {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        var again = Bench.call(2)
        again.executionID = Bench.call(1).executionID
        let done = bench.dispatch(1, [Bench.call(1), again])
        let traces = done.started.compactMap { $0.headers.first { $0.name == "traceparent" }?.value }
        #expect(traces.count == 2)
        #expect(traces[0].prefix(35) == traces[1].prefix(35))
        #expect(traces[0] != traces[1])
    }

    // MARK: Drain

    @Test("a draining worker accepts nothing, finishes running calls, and ends when all is acknowledged")
    func drain() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1), Bench.call(2, after: 60_000_000)])
        let begun = bench.turn(.drainRequested)
        #expect(begun.order(for: 1) == ["drain", "outcome"])
        #expect(begun.reported(to: 1).map(\.token) == [token(2)])
        #expect(!begun.hasDrained)
        let late = bench.dispatch(1, [Bench.call(3)])
        #expect(late.started.isEmpty)
        #expect(late.reported(to: 1).map(\.kind) == [.notStarted])
        bench.wait(milliseconds: 60_000)
        let still = bench.turn()
        #expect(!still.hasDrained, "a running call has its own timeout")
        let ended = bench.end(token(1))
        #expect(ended.reported(to: 1).map(\.token) == [token(1)])
        #expect(!ended.hasDrained)
        let acknowledged = bench.turn(.acknowledged(1, recorded([token(1), token(2), token(3)])))
        #expect(acknowledged.hasDrained)
        #expect(acknowledged.granted(to: 1) == nil)
        #expect(!bench.turn().hasDrained, "said once")
        #expect(bench.turn(.disconnected(1)).logEvents.isEmpty, "no lost leader is logged")
    }

    @Test("a new leader learns of the drain before it gets credit")
    func drainAcrossTakeOver() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1)])
        bench.turn(.drainRequested)
        let done = bench.lead(2, epoch: 2)
        #expect(done.order(for: 2) == ["drain", "holding", "credit"])
        #expect(done.granted(to: 2) == 0)
    }

    @Test("an idle worker drains immediately, connected or not")
    func idleDrain() {
        var alone = Bench()
        #expect(alone.turn(.drainRequested).hasDrained)
        var connected = Bench()
        connected.lead(1, epoch: 1)
        #expect(connected.turn(.drainRequested).hasDrained)
    }

    @Test("without a scheduler for the outcomes, the drain ends after 30 s and reports the lost ones")
    func undelivered() {
        var bench = Bench()
        bench.lead(1, epoch: 1)
        bench.dispatch(1, [Bench.call(1)])
        bench.turn(.disconnected(1), .drainRequested)
        bench.wait(milliseconds: 100_000)
        bench.end(token(1))
        #expect(bench.engine.wake == bench.now + 30_000)
        bench.wait(milliseconds: 29_999)
        #expect(!bench.turn().hasDrained)
        bench.wait(milliseconds: 1)
        let done = bench.turn()
        #expect(done.hasDrained)
        #expect(done.logEvents == [.undelivered(count: 1, [Bench.call(1).executionID])])
    }
}
