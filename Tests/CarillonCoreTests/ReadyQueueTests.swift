import TestSupport
import Testing

@testable import CarillonCore

@Suite struct ReadyQueueTests {
    @Test func `entries leave by priority, then by due time, then in order of arrival`() {
        var random = SeededGenerator(seed: 7)
        var queue = ReadyQueue()
        var expected: [(priority: Int32, time: Int64, slot: Int32)] = []
        let id = ExecutionID(.zero)
        var popped: [Int32] = []
        for slot in Int32(0)..<500 {
            let (priority, time) = (Int32.random(in: 0...2, using: &random), Int64.random(in: 0...20, using: &random))
            queue.push(slot, id: id, priority: priority, time: Timestamp(milliseconds: time))
            expected.append((priority, time, slot))
            #expect(queue.isConsistent)
        }
        while let first = queue.pop() {
            popped.append(first.slot)
            #expect(queue.isConsistent)
        }
        let sorted = expected.sorted { ($1.priority, $0.time, $0.slot) < ($0.priority, $1.time, $1.slot) }
        #expect(popped == sorted.map(\.slot))
        #expect(queue.isEmpty)
    }
}
