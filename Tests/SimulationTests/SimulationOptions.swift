import TestSupport

/// How much of everything there is, and how likely each fault is. All of it is drawn from the seed.
struct SimulationOptions: CustomStringConvertible {
    var schedulers: Int
    var workers: Int
    var slotsPerWorker: Int
    var jobs: Int
    var seconds: Int
    /// Of a call, that it does not go well.
    var targetTrouble: Double
    /// Milliseconds that a message may be on its way.
    var delayMs: Int
    var changesPerSecond: Double
    /// Of a change, that two clients change one job at once, and the first of them in a way that the store will not have.
    var quarrels: Double
    /// Changes of jobs in the store that no scheduler is told of.
    var handEditsPerSecond: Double
    /// Between two looks of the leader at what somebody changed by hand.
    var refreshSeconds: Int
    var cutsPerSecond: Double
    var schedulerKillsPerSecond: Double
    var schedulerStopsPerSecond: Double
    var workerKillsPerSecond: Double
    var pausesPerSecond: Double
    var storeStallsPerSecond: Double
    var storeOutagesPerSecond: Double
    var clockStepsPerSecond: Double
    /// Of a step of the database's clock, that it is one of hours. Such worlds have no job that makes up for every missed time.
    var stepsOfHours: Double
    /// Of a commit, that its answer, or it itself, is lost.
    var lostCommits: Double
    var failedReads: Double
    /// Of a commit, that its process ends before it hears of it.
    var crashesAtCommits: Double
    /// Of an answer, that the store will not have its text.
    var refusedTexts: Double
    /// Of a frame, that it arrives in two parts.
    var halfFrames: Double
    /// Of a process that does nothing for a while, that its clock stands still meanwhile.
    var standingClocks: Double
    /// How many executions a leader keeps before it makes no more rows.
    var maxOpenExecutions: Int
    /// How far the clocks of processes may be too fast or too slow.
    var driftPpm: Int
    /// Ten minutes of nothing: 1 for the leader, 2 for a worker, 3 for everything, 0 for none.
    var suspends: Int
    /// How often no worker reaches the leader for up to 40 s.
    var isolationsPerSecond: Double
    /// How often nothing gets through a connection for some seconds, either way or both; then everything does.
    var linkStallsPerSecond: Double
    /// Of a message of the first worker, that it is a lie.
    var lies: Double
    /// How often only the writing connection hangs, up to a minute.
    var writerStallsPerSecond: Double
    /// Of a job, that its executions must start within some time.
    var startDeadlines: Double
    /// How often the database's history goes back: a fail-over without the last commits, or a restored backup.
    var historyLossesPerSecond: Double
    /// Which of the worlds that these options allow: the seed's own is 0.
    var draw = 0
    /// Unix seconds at which the world begins, and the zone whose clocks are set a moment later, if any are.
    var beginning: Int64
    var zone: String
    /// Whether every step is printed.
    var isTracing = false

    static let manyExecutions = 250_000

    /// Whether leaders meet their limit, and refuse what clients want to have done at once.
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
        // Workers that die again and again lose the same attempt until it is given up.
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

    /// Whether clocks can be relied upon to tell when something happened.
    var hasGoodClocks: Bool {
        standingClocks == 0 && suspends == 0 && clockStepsPerSecond == 0 && driftPpm == 0 && storeStallsPerSecond == 0
            && storeOutagesPerSecond == 0
    }

    var description: String {
        Mirror(reflecting: self).children.map { "\($0.label ?? "") \($0.value)" }.joined(separator: ", ")
    }
}
