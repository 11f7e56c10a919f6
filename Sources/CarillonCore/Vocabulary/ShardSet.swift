/// A set of shards, 0 to 255.
package struct ShardSet: Sendable, Hashable {
    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    package init() {}

    package init(_ shards: some Sequence<UInt8>) {
        for shard in shards { insert(shard) }
    }

    package var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    package var count: Int {
        words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount + words.3.nonzeroBitCount
    }

    package func contains(_ shard: UInt8) -> Bool { word(of: shard) >> UInt64(shard & 63) & 1 == 1 }

    package mutating func insert(_ shard: UInt8) { set(word(of: shard) | 1 << UInt64(shard & 63), of: shard) }

    package mutating func remove(_ shard: UInt8) { set(word(of: shard) & ~(1 << UInt64(shard & 63)), of: shard) }

    /// The shards in ascending order.
    package var shards: [UInt8] { isEmpty ? [] : (UInt8.min...UInt8.max).filter(contains) }

    private func word(of shard: UInt8) -> UInt64 {
        switch shard >> 6 {
        case 0: words.0
        case 1: words.1
        case 2: words.2
        default: words.3
        }
    }

    private mutating func set(_ word: UInt64, of shard: UInt8) {
        switch shard >> 6 {
        case 0: words.0 = word
        case 1: words.1 = word
        case 2: words.2 = word
        default: words.3 = word
        }
    }

    package static func == (left: ShardSet, right: ShardSet) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(words.0)
        hasher.combine(words.1)
        hasher.combine(words.2)
        hasher.combine(words.3)
    }
}
