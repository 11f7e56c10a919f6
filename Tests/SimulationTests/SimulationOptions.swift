import TestSupport

/// The size of the world and the probability of each fault, all drawn from the seed.
struct SimulationOptions: CustomStringConvertible {
    var schedulers: Int
    var workers: Int
    var slotsPerWorker: Int
    var jobs: Int
    var seconds: Int
    /// The probability that a call fails.
    var targetTrouble: Double
    /// The maximum delay of a message in milliseconds.
    var delayMs: Int
    var changesPerSecond: Double
    /// The probability that two clients change a job at once, and that the store refuses the first change.
    var quarrels: Double
    /// Changes of jobs made directly in the store, without notifying a scheduler.
    var handEditsPerSecond: Double
    /// The leader's polling interval for changes made directly in the store.
    var refreshSeconds: Int
    var cutsPerSecond: Double
    var schedulerKillsPerSecond: Double
    var schedulerStopsPerSecond: Double
    var workerKillsPerSecond: Double
    var pausesPerSecond: Double
    var storeStallsPerSecond: Double
    var storeOutagesPerSecond: Double
    var clockStepsPerSecond: Double
    /// The probability that a step of the database's clock is by hours. Such worlds have no job with the catch-up
    /// policy ALL.
    var stepsOfHours: Double
    /// The probability that a commit, or only its response, is lost.
    var lostCommits: Double
    var failedReads: Double
    /// The probability that the process ends before it receives the response to a commit.
    var crashesAtCommits: Double
    /// The probability that the store refuses the text of a response.
    var refusedTexts: Double
    /// The probability that a frame arrives in two parts.
    var halfFrames: Double
    /// The probability that the clock of a paused process stands still.
    var standingClocks: Double
    /// The number of open executions at which a leader writes no more rows.
    var maxOpenExecutions: Int
    /// The maximum drift of the processes' clocks, fast or slow.
    var driftPpm: Int
    /// A suspend of ten minutes: 1 for the leader, 2 for a worker, 3 for everything, 0 for none.
    var suspends: Int
    /// How often the leader is unreachable for all workers, for up to 40 s.
    var isolationsPerSecond: Double
    /// How often no data passes a connection for some seconds, in one or both directions. Then all of it arrives.
    var linkStallsPerSecond: Double
    /// The probability that a message of the first worker is false.
    var lies: Double
    /// How often only the writing connection hangs, for up to a minute.
    var writerStallsPerSecond: Double
    /// The probability that a job has a start deadline.
    var startDeadlines: Double
    /// How often the database's history goes back: a fail-over without the last commits, or a restored backup.
    var historyLossesPerSecond: Double
    /// The number of the draw among the worlds that these options allow; the seed's own is 0.
    var draw = 0
    /// The Unix second at which the world starts, and the zone whose clocks change a moment later, if any.
    var beginning: Int64
    var zone: String
    /// Whether every step is printed.
    var isTracing = false

    static let manyExecutions = 250_000

    /// Whether leaders reach their limit and refuse immediate executions.
    var isNarrow: Bool { maxOpenExecutions < Self.manyExecutions }

    init(seed: UInt64) {
        var random = SeededGenerator(seed: seed &* 0x2545_F491_4F6C_DD1D &+ 1)
        func chance(_ likely: Double, upTo most: Double) -> Double {
            random.happens(likely) ? Double.random(in: most / 10..<most, using: &random) : 0
        }
        schedulers = Int.random(in: 1...3, using: &random)
        workers = Int.random(in: 1...3, using: &random)
        slotsPerWorker = Int.random(in: 1...6, using: &random)
        jobs = Int.random(in: 1...6, using: &random)
        seconds = Int.random(in: 10...25, using: &random)
        targetTrouble = chance(0.7, upTo: 0.6)
        delayMs = [1, 5, 40, 400].randomElement(using: &random) ?? 1
        changesPerSecond = chance(0.7, upTo: 3)
        handEditsPerSecond = chance(0.35, upTo: 0.6)
        refreshSeconds = Int.random(in: 2...15, using: &random)
        cutsPerSecond = chance(0.5, upTo: 0.5)
        schedulerKillsPerSecond = chance(0.4, upTo: 0.2)
        schedulerStopsPerSecond = chance(0.25, upTo: 0.15)
        workerKillsPerSecond = chance(0.4, upTo: 0.2)
        pausesPerSecond = chance(0.4, upTo: 0.2)
        storeStallsPerSecond = chance(0.4, upTo: 0.2)
        storeOutagesPerSecond = chance(0.25, upTo: 0.1)
        clockStepsPerSecond = chance(0.2, upTo: 0.1)
        lostCommits = chance(0.4, upTo: 0.1)
        failedReads = chance(0.3, upTo: 0.3)
        crashesAtCommits = chance(0.25, upTo: 0.02)
        stepsOfHours = clockStepsPerSecond > 0 ? chance(0.3, upTo: 1) : 0
        refusedTexts = chance(0.2, upTo: 0.1)
        halfFrames = chance(0.7, upTo: 0.3)
        standingClocks = chance(0.5, upTo: 1)
        maxOpenExecutions = random.happens(0.2) ? Int.random(in: 3...15, using: &random) : Self.manyExecutions
        driftPpm = random.happens(0.5) ? Int.random(in: 50...500, using: &random) : 0
        suspends = random.happens(0.05) ? Int.random(in: 1...3, using: &random) : 0
        // Workers that are killed repeatedly lose the same attempt until it is given up.
        if random.happens(0.05) {
            (workerKillsPerSecond, targetTrouble) = (Double.random(in: 1..<4, using: &random), 0.6)
        }
        isolationsPerSecond = schedulers > 1 ? chance(0.25, upTo: 0.1) : 0
        linkStallsPerSecond = chance(0.3, upTo: 0.3)
        lies = chance(0.25, upTo: 0.5)
        writerStallsPerSecond = chance(0.25, upTo: 0.06)
        quarrels = changesPerSecond > 0 ? chance(0.2, upTo: 0.6) : 0
        // 2026-11-24T10:00:00Z
        (beginning, zone) = (1_795_514_400, "UTC")
        if random.happens(0.5) {
            let zoned = random.happens(0.5) ? NaiveZone.berlin : NaiveZone.lordHowe
            zone = zoned.name
            let settings = zoned.spans.dropFirst()
            beginning =
                (settings.randomElement(using: &random)?.from ?? beginning) - Int64.random(in: 2...30, using: &random)
        }
        startDeadlines = chance(0.3, upTo: 1)
        historyLossesPerSecond = chance(0.15, upTo: 0.5)
        // On a machine whose clock is behind, an epoch that was lost can be given again.
        if historyLossesPerSecond > 0, random.happens(0.3) { clockStepsPerSecond = max(clockStepsPerSecond, 0.01) }
    }

    /// Whether clocks are accurate enough to check recorded times.
    var hasGoodClocks: Bool {
        standingClocks == 0 && suspends == 0 && clockStepsPerSecond == 0 && driftPpm == 0 && storeStallsPerSecond == 0
            && storeOutagesPerSecond == 0
    }

    var description: String {
        Mirror(reflecting: self).children.map { "\($0.label ?? "") \($0.value)" }.joined(separator: ", ")
    }
}
