import Testing

@testable import CarillonCore

/// A worker compares epochs for each shard separately.
@Suite struct LeaderTableTests {
    private func lead(_ epoch: Int64, incarnation: UInt64 = 0) -> LeadProof {
        LeadProof(epoch: epoch, incarnation: incarnation)
    }

    @Test func `leaders of different shards are accepted with any epochs`() {
        var table = LeaderTable()
        #expect(table.announced(1, lead(900), [0, 1]).obeyed == ShardSet([0, 1]))
        let second = table.announced(2, lead(5), [2, 255])
        #expect(second.obeyed == ShardSet([2, 255]) && second.refused.isEmpty && second.lost.isEmpty)
        #expect((0...3).map { table.leader(of: $0) } == [1, 1, 2, nil] && table.leader(of: 255) == 2)
        #expect(table.inconsistency == nil)
    }

    @Test func `a Lead is refused only for shards with a leader of a higher epoch`() {
        var table = LeaderTable()
        _ = table.announced(1, lead(10), [0, 1])
        _ = table.announced(2, lead(20), [1])
        _ = table.announced(3, lead(30), [2])
        let change = table.announced(1, lead(10), [0, 1, 2, 3])
        #expect(change.obeyed == ShardSet([0, 3]))
        #expect(change.refused.map(\.highest) == [lead(20), lead(30)])
        #expect(change.refused.map(\.shards) == [[1], [2]])
        #expect(table.leader(of: 1) == 2 && table.inconsistency == nil)
    }

    @Test func `a higher epoch takes over its shard and no other`() {
        var table = LeaderTable()
        _ = table.announced(1, lead(10), [0, 1])
        let change = table.announced(2, lead(11), [1])
        #expect(change.isNews && change.lost.isEmpty)
        #expect(table.leads(1, 0) && !table.leads(1, 1) && table.leads(2, 1))
        #expect(table.leads(2, 1, by: DispatchToken(epoch: 11, sequence: 1)))
        #expect(!table.leads(2, 1, by: DispatchToken(epoch: 10, sequence: 1)))
        #expect(!table.leads(2, 1, by: DispatchToken(epoch: 11, sequence: 1, incarnation: 1)))
    }

    @Test func `a Lead replaces only an earlier Lead of the same epoch`() {
        var table = LeaderTable()
        _ = table.announced(1, lead(10), [0, 1])
        _ = table.announced(1, lead(12), [2])
        let change = table.announced(1, lead(10), [0])
        #expect(!change.isNews && change.lost == ShardSet([1]))
        #expect(table.shards(of: 1) == ShardSet([0, 2]))
        #expect(table.announced(1, lead(10), []).lost == ShardSet([0]))
        #expect(table.isLeading(1) && table.epoch(of: 1) == 12)
        #expect(table.announced(1, lead(12), []).lost == ShardSet([2]))
        #expect(!table.isLeading(1) && table.leading.isEmpty)
        // The epoch stays known.
        #expect(table.announced(2, lead(11), [2]).refused.map(\.highest) == [lead(12)])
    }

    @Test func `the same epoch with another incarnation is another leadership`() {
        var table = LeaderTable()
        _ = table.announced(1, lead(10, incarnation: 1), [0])
        #expect(table.announced(2, lead(10, incarnation: 2), [0]).isNews)
        #expect(!table.leads(1, 0) && table.leader(of: 0) == 2)
    }

    @Test func `the newest connection of a leader counts, and the older one takes over when it ends`() {
        var table = LeaderTable()
        _ = table.announced(1, lead(10), [0])
        #expect(table.announced(2, lead(10), [0]).isNews)
        #expect(table.leads(1, 0) && table.leader(of: 0) == 2)
        let change = table.ended(2)
        #expect(change.moved == ShardSet([0]) && change.lost.isEmpty && table.leader(of: 0) == 1)
        #expect(table.ended(1).lost == ShardSet([0]) && table.leader(of: 0) == nil)
        #expect(table.ended(1).lost.isEmpty && table.inconsistency == nil)
    }

    @Test func `a shard set supports insert, remove and contains`() {
        var shards = ShardSet()
        #expect(shards.isEmpty && shards.shards.isEmpty)
        for shard: UInt8 in [255, 0, 63, 64, 128, 192] { shards.insert(shard) }
        #expect(shards.shards == [0, 63, 64, 128, 192, 255] && shards.count == 6)
        shards.remove(64)
        shards.remove(65)
        #expect(!shards.contains(64) && shards.contains(63) && shards == ShardSet([0, 63, 128, 192, 255]))
        #expect(shards.hashValue == ShardSet([0, 63, 128, 192, 255]).hashValue)
    }
}
