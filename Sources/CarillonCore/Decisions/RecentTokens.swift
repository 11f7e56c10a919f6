/// The most recent tokens, up to a limit.
struct RecentTokens {
    private let limit: Int
    private var tokens: Set<DispatchToken> = []
    private var ring: [DispatchToken] = []
    private var oldest = 0

    init(limit: Int) {
        self.limit = limit
    }

    func contains(_ token: DispatchToken) -> Bool { tokens.contains(token) }

    /// Whether set and ring have the same tokens within the limit; for tests.
    var isConsistent: Bool { ring.count <= limit && tokens.count == ring.count && Set(ring) == tokens }

    mutating func insert(_ token: DispatchToken) {
        guard tokens.insert(token).inserted else { return }
        if ring.count < limit {
            ring.append(token)
            return
        }
        tokens.remove(ring[oldest])
        ring[oldest] = token
        oldest = (oldest + 1) % limit
    }
}
