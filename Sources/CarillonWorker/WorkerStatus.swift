internal import CarillonCore

/// The engine's state, published after each turn.
struct WorkerStatus: Sendable {
    var running = 0
    var waiting = 0
    var unacknowledged = 0
    var free = 0
    var connections = 0
    var leaderEpoch: Int64?
    var leaderAddress: String?
    var isDraining = false
    var counters = WorkerEngine.Counters()
}
