import CarillonJSON

/// Something that is measured.
struct Measurement: Sendable {
    /// What is found out.
    struct Results: Sendable {
        var figures: [Figure] = []
        /// What pictures are drawn of.
        var series: [(name: String, value: JSONValue)] = []
    }

    /// A word for the command line.
    var name: String
    var title: String
    var run: @Sendable (Bench) async throws -> Results

    /// In the order of the table.
    static let all: [Measurement] = [
        .throughput, .slots, .drift, .herd, .slowTarget, .growth, .allocations, .held, .rpc, .codec, .cron, .history,
        .rest, .idle,
    ]

    /// Those that need what `make bench-peers` builds.
    static let peers: [Measurement] = [.schedulers, .grpc]
}
