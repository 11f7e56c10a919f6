import CarillonCore
import TestSupport
import Testing

@Suite("TimerHeap")
struct TimerHeapTests {
    @Test("timers with the same time expire in the order in which they were set")
    func tiesKeepTheirOrder() {
        var heap = TimerHeap()
        for key in [5, 3, 9, 1] as [Int32] { heap.set(key, to: 7) }
        heap.set(3, to: 7)
        #expect((0..<4).compactMap { _ in heap.popFirst()?.key } == [5, 9, 1, 3])
    }

    @Test("a timer is moved and removed by its key")
    func movesAndRemoves() {
        var heap = TimerHeap()
        for key in 0..<100 as Range<Int32> { heap.set(key, to: Int64(key)) }
        heap.set(99, to: -1)
        #expect(heap.first?.key == 99)
        let removed = heap.remove(0)
        #expect(removed)
        let again = heap.remove(0)
        #expect(!again)
        #expect(heap.time(of: 0) == nil)
        #expect(heap.time(of: 99) == -1)
        #expect(heap.count == 99)
        #expect(heap.isConsistent)
    }

    @Test("random operations match a sorted list", arguments: [1, 2, 3, 4, 5] as [UInt64])
    func agreesWithSortedList(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var heap = TimerHeap()
        var model: [(time: Int64, order: Int, key: Int32)] = []
        for order in 0..<5_000 {
            let key = Int32.random(in: 0..<300, using: &random)
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<6:
                let time = Int64.random(in: 0..<50, using: &random)
                heap.set(key, to: time)
                model.removeAll { $0.key == key }
                model.append((time, order, key))
            case 6..<8:
                let removed = heap.remove(key)
                #expect(removed == model.contains { $0.key == key }, "seed \(seed)")
                model.removeAll { $0.key == key }
            default:
                model.sort { ($0.time, $0.order) < ($1.time, $1.order) }
                let first = heap.popFirst()
                #expect(first?.key == model.first?.key, "seed \(seed)")
                if !model.isEmpty { model.removeFirst() }
            }
            if order % 100 == 0 { #expect(heap.isConsistent, "seed \(seed)") }
        }
        #expect(heap.count == model.count)
    }
}
