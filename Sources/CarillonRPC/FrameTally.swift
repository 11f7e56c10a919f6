/// Counts frames of one direction, so that the metrics are updated once for each run of equal messages.
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
