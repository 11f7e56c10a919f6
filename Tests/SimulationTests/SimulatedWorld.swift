import CarillonCore
import CarillonCron
import TestSupport

/// How likely each fault is, and how much of everything there is. Drawn from the seed.
struct SimulationOptions: Sendable, CustomStringConvertible {
    var schedulers: Int
    var workers: Int
    var jobs: Int
    var seconds: Int
    var cutsPerSecond: Double
    var schedulerKillsPerSecond: Double
    var workerKillsPerSecond: Double
    var pausesPerSecond: Double
    var storeStallsPerSecond: Double
    var lostCommitAnswers: Double
    var changesPerSecond: Double
    var slotsPerWorker: Int

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        func chance(_ likely: Double, upTo most: Double, _ random: inout SeededGenerator) -> Double {
            random.happens(likely) ? Double.random(in: 0..<most, using: &random) : 0
        }
        schedulers = Int.random(in: 1...3, using: &random)
        workers = Int.random(in: 1...3, using: &random)
        jobs = Int.random(in: 1...12, using: &random)
        seconds = Int.random(in: 15...45, using: &random)
        cutsPerSecond = chance(0.5, upTo: 0.5, &random)
        schedulerKillsPerSecond = chance(0.5, upTo: 0.15, &random)
        workerKillsPerSecond = chance(0.5, upTo: 0.3, &random)
        pausesPerSecond = chance(0.3, upTo: 0.1, &random)
        storeStallsPerSecond = chance(0.4, upTo: 0.2, &random)
        lostCommitAnswers = chance(0.4, upTo: 0.05, &random)
        changesPerSecond = chance(0.6, upTo: 1.5, &random)
        slotsPerWorker = Int.random(in: 1...8, using: &random)
    }

    var description: String {
        """
        schedulers \(schedulers), workers \(workers) x \(slotsPerWorker) slots, jobs \(jobs), seconds \(seconds), \
        per second: cuts \(cutsPerSecond), scheduler kills \(schedulerKillsPerSecond), worker kills \
        \(workerKillsPerSecond), pauses \(pausesPerSecond), store stalls \(storeStallsPerSecond), changes \
        \(changesPerSecond); lost commit answers \(lostCommitAnswers)
        """
    }
}

/// A line of events in simulated time.
struct Timeline<Work> {
    private var heap: [(time: Int64, order: UInt64, work: Work)] = []
    private var order: UInt64 = 0

    var isEmpty: Bool { heap.isEmpty }
    var firstTime: Int64? { heap.first?.time }

    mutating func add(_ time: Int64, _ work: Work) {
        order += 1
        heap.append((time, order, work))
        var position = heap.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard precedes(position, parent) else { break }
            heap.swapAt(position, parent)
            position = parent
        }
    }

    mutating func pop() -> (time: Int64, work: Work)? {
        guard let first = heap.first else { return nil }
        let last = heap.removeLast()
        if !heap.isEmpty {
            heap[0] = last
            var position = 0
            while true {
                var best = position
                for child in position * 2 + 1...position * 2 + 2 where child < heap.count && precedes(child, best) {
                    best = child
                }
                if best == position { break }
                heap.swapAt(position, best)
                position = best
            }
        }
        return (first.time, first.work)
    }

    private func precedes(_ left: Int, _ right: Int) -> Bool {
        (heap[left].time, heap[left].order) < (heap[right].time, heap[right].order)
    }
}

/// Keeps a dispatcher in a place that can be shared.
final class DispatcherCell {
    var dispatcher: Dispatcher

    init(_ dispatcher: consuming Dispatcher) {
        self.dispatcher = dispatcher
    }
}
