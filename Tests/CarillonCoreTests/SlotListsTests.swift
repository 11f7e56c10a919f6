import TestSupport
import Testing

@testable import CarillonCore

@Suite struct SlotListsTests {
    @Test func `a slot is in the list of its key until it is removed`() {
        var lists = SlotLists<String>()
        for slot in [7, 2, 5] as [Int32] { lists.insert(slot, under: "a") }
        lists.insert(3, under: "b")
        #expect(lists.slots(under: "a") == [2, 5, 7] && lists.slots(under: "b") == [3])
        lists.remove(2, under: "a")
        #expect(lists.slots(under: "a") == [5, 7])
        lists.remove(3, under: "b")
        #expect(lists.slots(under: "b").isEmpty && lists.keys == ["a"])
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `random operations match a dictionary of sets`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var lists = SlotLists<Int>()
        var model: [Int32: Int] = [:]
        for _ in 0..<5_000 {
            let slot = Int32.random(in: 0..<100, using: &random)
            if let key = model.removeValue(forKey: slot) {
                lists.remove(slot, under: key)
            } else {
                let key = Int.random(in: 0..<10, using: &random)
                lists.insert(slot, under: key)
                model[slot] = key
            }
            let key = Int.random(in: 0..<10, using: &random)
            #expect(lists.slots(under: key) == model.filter { $0.value == key }.keys.sorted(), "seed \(seed)")
        }
        #expect(Set(lists.keys) == Set(model.values))
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `lists of numbered keys agree with lists of hashed keys`(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var numbered = NumberedSlotLists()
        var hashed = SlotLists<Int32>()
        var model: [Int32: Int32] = [:]
        for _ in 0..<5_000 {
            let slot = Int32.random(in: 0..<100, using: &random)
            if let key = model.removeValue(forKey: slot) {
                numbered.remove(slot, under: key)
                hashed.remove(slot, under: key)
            } else {
                let key = Int32.random(in: 0..<10, using: &random)
                numbered.insert(slot, under: key)
                hashed.insert(slot, under: key)
                model[slot] = key
            }
            let key = Int32.random(in: 0..<12, using: &random)
            #expect(numbered.slots(under: key) == hashed.slots(under: key), "seed \(seed)")
        }
        #expect(Set(numbered.keys) == Set(hashed.keys))
    }
}
