/// Frames of one direction that are not in the metrics yet: a batch of equal messages is counted at once.
struct FrameTally {
    private let metrics: RPCMetrics
    private let direction: RPCMetrics.Direction
    private var message = ""
    private var count = 0

    init(_ direction: RPCMetrics.Direction, _ metrics: RPCMetrics) {
        self.direction = direction
        self.metrics = metrics
    }

    mutating func add(_ message: String) {
        if message != self.message {
            flush()
            self.message = message
        }
        count += 1
    }

    mutating func flush() {
        if count > 0 { metrics.frames(direction, message, count) }
        count = 0
    }
}
