/// Which connection leads which shard, as a worker sees it: epochs are compared for each shard by itself, so that leaders of
/// different shards are obeyed side by side.
struct LeaderTable {
    /// What became of a Lead, or of the end of a connection.
    struct Change {
        /// Shards that the connection leads from now on, or still.
        var obeyed = ShardSet()
        /// Whether it leads one of them for the first time, or under another epoch than before.
        var isNews = false
        /// Shards for which a higher epoch was seen, by the Lead of that epoch.
        var refused: [(highest: LeadProof, shards: [UInt8])] = []
        /// Shards that another connection of the same leader serves now.
        var moved = ShardSet()
        /// Shards that had a leader and have none now.
        var lost = ShardSet()
    }

    /// By shard: the Lead of the highest epoch that was seen.
    private var highest = [LeadProof?](repeating: nil, count: 256)
    /// By shard: of the connections that lead it, the one that came last.
    private var leaders = [ConnectionID?](repeating: nil, count: 256)
    /// What each connection leads. Several lead one shard when they belong to one leader.
    private var shards: [ConnectionID: ShardSet] = [:]

    /// The connection that takes outcomes of a shard.
    func leader(of shard: UInt8) -> ConnectionID? {
        InjectedFault.sendsOutcomesToAnyLeader.isActive ? shards.keys.max() : leaders[Int(shard)]
    }

    func leads(_ link: ConnectionID, _ shard: UInt8) -> Bool { shards[link]?.contains(shard) ?? false }

    /// Whether a connection leads a shard under the leadership that made a token.
    func leads(_ link: ConnectionID, _ shard: UInt8, by token: DispatchToken) -> Bool {
        guard leads(link, shard), let lead = highest[Int(shard)] else { return false }
        return lead.epoch == token.epoch && lead.incarnation == token.incarnation
    }

    func shards(of link: ConnectionID) -> ShardSet { shards[link] ?? ShardSet() }

    func isLeading(_ link: ConnectionID) -> Bool { shards[link] != nil }

    /// The connections that lead at least one shard, in the order in which they came.
    var leading: [ConnectionID] { shards.keys.sorted() }

    /// The highest epoch under which a connection leads.
    func epoch(of link: ConnectionID) -> Int64? {
        shards(of: link).shards.compactMap { highest[Int($0)]?.epoch }.max()
    }

    /// A scheduler says which shards it leads under an epoch.
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
                // Whoever led the shard before leads it no longer.
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

    /// A connection has ended.
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

    /// Finds the leader of each shard anew.
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

    /// What contradicts something else; for tests.
    var inconsistency: String? {
        for (link, own) in shards {
            guard !own.isEmpty else { return "a connection that leads nothing counts as a leader" }
            for shard in own.shards {
                guard highest[Int(shard)] != nil else { return "shard \(shard) is led under no epoch" }
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
