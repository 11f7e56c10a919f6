import CarillonJSON

/// A named measurement.
struct Measurement: Sendable {
    /// The results of a measurement.
    struct Results: Sendable {
        var figures: [Figure] = []
        /// The data of the pictures.
        var series: [(name: String, value: JSONValue)] = []
    }

    /// The name on the command line.
    var name: String
    var title: String
    var run: @Sendable (Bench) async throws -> Results

    /// In the order of the table.
    static let all: [Measurement] = [
        .throughput, .slots, .drift, .herd, .slowTarget, .growth, .allocations, .held, .rpc, .codec, .cron, .history,
        .rest, .idle,
    ]

    /// The measurements that need the programs built by `make bench-peers`.
    static let peers: [Measurement] = [.schedulers, .grpc]
}
