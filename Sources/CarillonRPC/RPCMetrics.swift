/// Callbacks for the network's metrics. Called on the network's threads.
package struct RPCMetrics: Sendable {
    package enum Direction: String, Sendable {
        case received
        case sent
    }

    /// A number of consecutive frames of one message, by its name.
    package var frames: @Sendable (_ direction: Direction, _ message: String, _ count: Int) -> Void
    /// A connection that ended with a protocol error (`undecodable`, `out_of_state`, `silent`, `slow_reader`,
    /// `too_many_connections`, `handshake`), or a message that was not sent (`lease_over`, `oversized_message`).
    package var failure: @Sendable (_ kind: String) -> Void
    /// A connection was established (+1) or has ended (-1).
    package var connections: @Sendable (_ change: Int) -> Void

    package init(
        frames: @escaping @Sendable (Direction, String, Int) -> Void = { _, _, _ in },
        failure: @escaping @Sendable (String) -> Void = { _ in },
        connections: @escaping @Sendable (Int) -> Void = { _ in }
    ) {
        self.frames = frames
        self.failure = failure
        self.connections = connections
    }

    func countEnd(_ why: String) {
        if let kind = RPCMetrics.failure(ofEnd: why) { failure(kind) }
    }

    /// The kind of failure for the reason of a connection's end; `nil` for an ordinary end.
    static func failure(ofEnd why: String) -> String? {
        if why.hasPrefix("undecodable") { return "undecodable" }
        if why.hasPrefix("out of state") { return "out_of_state" }
        if why.hasPrefix("silent") { return "silent" }
        if why.hasPrefix("no Hello") || why.hasPrefix("no Welcome") || why.hasPrefix("refused") { return "handshake" }
        return nil
    }
}
