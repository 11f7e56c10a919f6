/// A worker's view of which connection leads which shard. Epochs are compared per shard, so that a worker can serve the
/// leaders of different shards.
struct LeaderTable {
    /// The effect of a Lead or of a disconnect.
    struct Change {
        /// Shards that the connection leads now.
        var obeyed = ShardSet()
        /// Whether the connection leads one of these shards for the first time or under a new epoch.
        var isNews = false
        /// Shards for which a higher epoch is known, by the Lead of that epoch.
        var refused: [(highest: LeadProof, shards: [UInt8])] = []
        /// Shards that moved to another connection of the same leader.
        var moved = ShardSet()
        /// Shards that lost their leader.
        var lost = ShardSet()
    }

    /// The Lead with the highest epoch seen, by shard.
    private var highest = [LeadProof?](repeating: nil, count: 256)
    /// The latest connection that leads the shard, by shard.
    private var leaders = [ConnectionID?](repeating: nil, count: 256)
    /// The shards that each connection leads. Several connections of one leader can lead the same shard.
    private var shards: [ConnectionID: ShardSet] = [:]

    /// The connection to which outcomes of a shard are reported.
    func leader(of shard: UInt8) -> ConnectionID? {
        InjectedFault.sendsOutcomesToAnyLeader.isActive ? shards.keys.max() : leaders[Int(shard)]
    }

    func leads(_ link: ConnectionID, _ shard: UInt8) -> Bool { shards[link]?.contains(shard) ?? false }

    /// Whether a connection leads a shard under the leadership that issued a token.
    func leads(_ link: ConnectionID, _ shard: UInt8, by token: DispatchToken) -> Bool {
        guard leads(link, shard), let lead = highest[Int(shard)] else { return false }
        return lead.epoch == token.epoch && lead.incarnation == token.incarnation
    }

    func shards(of link: ConnectionID) -> ShardSet { shards[link] ?? ShardSet() }

    func isLeading(_ link: ConnectionID) -> Bool { shards[link] != nil }

    /// The connections that lead at least one shard, in order of arrival.
    var leading: [ConnectionID] { shards.keys.sorted() }

    /// The highest epoch under which a connection leads.
    func epoch(of link: ConnectionID) -> Int64? {
        shards(of: link).shards.compactMap { highest[Int($0)]?.epoch }.max()
    }

    /// Applies a scheduler's announcement of the shards that it leads under an epoch.
    mutating func announced(_ link: ConnectionID, _ lead: LeadProof, _ announced: [UInt8]) -> Change {
        var change = Change()
        let named = ShardSet(announced)
        var own = shards(of: link)
        // The Lead replaces an earlier one of the same epoch.
        for shard in own.shards where !named.contains(shard) && isSame(highest[Int(shard)], lead) { own.remove(shard) }
        for shard in named.shards {
            if let known = highestLead(besides: shard), known.epoch > lead.epoch {
                change.refuse(shard, by: known)
                continue
            }
            if !isSame(highest[Int(shard)], lead) {
                // The previous leader of the shard no longer leads it.
                highest[Int(shard)] = lead
                for other in shards.keys where other != link { take(shard, from: other) }
                change.isNews = true
            }
            if !own.contains(shard) { change.isNews = true }
            own.insert(shard)
            change.obeyed.insert(shard)
        }
        shards[link] = own.isEmpty ? nil : own
        refresh(&change)
        return change
    }

    /// Removes a connection that has ended.
    mutating func ended(_ link: ConnectionID) -> Change {
        var change = Change()
        guard shards.removeValue(forKey: link) != nil else { return change }
        refresh(&change)
        return change
    }

    private func highestLead(besides shard: UInt8) -> LeadProof? {
        guard InjectedFault.comparesEpochsAcrossShards.isActive else { return highest[Int(shard)] }
        return highest.compactMap { $0 }.max { $0.epoch < $1.epoch }
    }

    private func isSame(_ known: LeadProof?, _ lead: LeadProof) -> Bool {
        known?.epoch == lead.epoch
            && (known?.incarnation == lead.incarnation || InjectedFault.ignoresIncarnations.isActive)
    }

    private mutating func take(_ shard: UInt8, from link: ConnectionID) {
        shards[link]?.remove(shard)
        if shards[link]?.isEmpty == true { shards[link] = nil }
    }

    /// Determines the leader of each shard again.
    private mutating func refresh(_ change: inout Change) {
        let links = leading
        for shard in UInt8.min...UInt8.max {
            let leader = links.last { leads($0, shard) }
            let before = leaders[Int(shard)]
            guard leader != before else { continue }
            leaders[Int(shard)] = leader
            if leader == nil {
                change.lost.insert(shard)
            } else if before != nil, !change.obeyed.contains(shard) {
                change.moved.insert(shard)
            }
        }
    }

    /// The first inconsistency; `nil` if there is none. For tests.
    var inconsistency: String? {
        for (link, own) in shards {
            guard !own.isEmpty else { return "a connection without shards counts as a leader" }
            for shard in own.shards {
                guard highest[Int(shard)] != nil else { return "shard \(shard) has a leader without an epoch" }
                guard let leader = leaders[Int(shard)], leader >= link else {
                    return "shard \(shard) has the wrong leader"
                }
            }
        }
        for shard in UInt8.min...UInt8.max {
            guard let leader = leaders[Int(shard)], !leads(leader, shard) else { continue }
            return "the leader of shard \(shard) does not lead it"
        }
        return nil
    }
}

extension LeaderTable.Change {
    fileprivate mutating func refuse(_ shard: UInt8, by known: LeadProof) {
        if let index = refused.firstIndex(where: { $0.highest == known }) {
            refused[index].shards.append(shard)
        } else {
            refused.append((known, [shard]))
        }
    }
}
