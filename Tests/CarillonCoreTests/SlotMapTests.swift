import TestSupport
import Testing

@testable import CarillonCore

@Suite struct SlotMapTests {
    /// Counts the rows that exist.
    private final class Counter {
        var count = 0
    }

    private final class Row {
        let value: Int
        private let counter: Counter

        init(_ value: Int, _ counter: Counter) {
            self.value = value
            self.counter = counter
            counter.count += 1
        }

        deinit { counter.count -= 1 }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random work agrees with a dictionary, and no row is kept after its removal`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let counter = Counter()
        var model: [Int32: Int] = [:]
        do {
            var map = SlotMap<Row>()
            for step in 0..<20_000 {
                if Int.random(in: 0..<3, using: &random) > 0 {
                    let slot = map.insert(Row(step, counter))
                    #expect(model.updateValue(step, forKey: slot) == nil)
                } else if let slot = model.keys.min() {
                    let removed = map.remove(slot).value
                    #expect(removed == model.removeValue(forKey: slot))
                }
                if let slot = model.keys.first, step % 7 == 0 {
                    map[slot] = Row(-step, counter)
                    model[slot] = -step
                }
            }
            let (slots, count, isConsistent) = (map.slots, map.count, map.isConsistent)
            #expect(slots == model.keys.sorted() && count == model.count && isConsistent)
            for slot in slots {
                let value = map[slot].value
                #expect(value == model[slot])
            }
            let missing = map.row(-1) == nil && map.row(1_000_000) == nil
            #expect(missing && counter.count == count)
        }
        #expect(counter.count == 0)
    }

    @Test func `a table without rows frees all of them`() {
        let counter = Counter()
        var map = SlotMap<Row>()
        for value in 0..<3_000 { _ = map.insert(Row(value, counter)) }
        map.removeAll()
        let (count, isConsistent) = (map.count, map.isConsistent)
        #expect(count == 0 && isConsistent && counter.count == 0)
        let slot = map.insert(Row(1, counter))
        #expect(slot == 0 && counter.count == 1)
    }
}
