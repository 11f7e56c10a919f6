import Testing

@testable import CarillonCore

/// The choice of a worker for a call.
@Suite struct WorkerChoiceTests {
    /// This many jobs due each second, and two workers: `worker` answers every call.
    private func busy(jobs: UInt64, _ executionType: ExecutionType = .atLeastOnce) -> DispatcherBench {
        var bench = DispatcherBench()
        bench.lead(slots: 256)
        for number in 1...jobs {
            var job = DispatcherBench.job(number, every: 1)
            job.executionType = executionType
            bench.create(job)
        }
        return bench
    }

    /// One second, at the end of which the first worker answers its calls.
    private func second(_ bench: inout DispatcherBench, from first: Int) {
        bench.pass(ms: 1_000)
        for sent in bench.dispatched[first...] where sent.link == 1 { bench.report(sent.call) }
        bench.tell(.workerGranted(1, UInt64(bench.dispatched.count { $0.link == 1 }) + 256))
    }

    @Test(arguments: [ExecutionType.atLeastOnce, .atMostOnce])
    func `a worker that promises a million slots and answers nothing gets at most one burst`(_ type: ExecutionType) {
        var bench = busy(jobs: 20, type)
        bench.join(2, name: "liar", slots: 1_000_000)
        #expect(bench.dispatcher.workers.allSatisfy { $0.freeSlots <= 65_536 })
        for _ in 0..<30 { second(&bench, from: bench.dispatched.count) }
        #expect(bench.dispatched.count >= 580)
        #expect(bench.dispatched.count { $0.link == 2 } <= 20)
    }

    @Test func `a worker with slow calls gets its share while it reports them`() {
        var bench = busy(jobs: 20)
        bench.join(2, name: "patient", slots: 10_000)
        for _ in 0..<10 {
            let first = bench.dispatched.count
            second(&bench, from: first)
            bench.tell(.workerStarted(2, bench.dispatched[first...].filter { $0.link == 2 }.map(\.call.token)))
        }
        #expect(bench.dispatched.count { $0.link == 2 } >= 90)
    }

    @Test func `no worker gets more calls than its reported slots`() {
        var bench = busy(jobs: 20)
        bench.tell(.workerLeft(1))
        bench.join(2, name: "small", slots: 3)
        bench.tell(.workerGranted(2, 1_000))
        bench.pass(ms: 3_000)
        #expect(bench.dispatched.count == 3)
    }

    @Test func `withdrawn credit is not used`() {
        var bench = busy(jobs: 4)
        bench.tell(.workerGranted(1, 6))
        bench.tell(.workerGranted(1, 3))
        bench.pass(ms: 2_000)
        #expect(bench.dispatched.count == 3)
        bench.tell(.workerGranted(1, 5))
        bench.pass(ms: 1_000)
        #expect(bench.dispatched.count == 5)
    }

    @Test func `a call that needs a feature goes only to a worker that has it`() {
        var roster = WorkerRoster()
        for (link, features) in [(1, []), (2, ["redirects"]), (3, ["redirects", "a-later-one"])]
            as [(ConnectionID, Set<String>)]
        {
            roster[link] = ConnectedWorker(
                name: "worker-\(link)",
                bootID: UniqueID(high: 1, low: UInt64(link)),
                maxWorkers: 4,
                features: features,
                key: DispatchKey([1])
            )
            roster.modify(link) {
                $0.granted = 4
                $0.hasAnswered = true
                $0.isRecorded = true
            }
        }
        #expect(roster.leastLoaded == 1 && roster.leastLoaded(having: []) == 1)
        #expect(roster.leastLoaded(having: ["redirects"]) == 2)
        #expect(roster.leastLoaded(having: ["redirects", "a-later-one"]) == 3)
        #expect(roster.leastLoaded(having: ["smtp"]) == nil)
    }

    @Test func `among workers with equally few outstanding answers the least loaded is chosen`() {
        var bench = DispatcherBench()
        bench.lead(slots: 5)
        bench.join(2, name: "freer", slots: 50)
        bench.create(DispatcherBench.job(1, every: 1))
        bench.pass(ms: 1_100)
        #expect(bench.dispatched.map(\.link) == [2])
    }
}
