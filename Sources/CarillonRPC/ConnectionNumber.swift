internal import CarillonCore
internal import Synchronization

/// Connection numbers, unique within a process.
enum ConnectionNumber {
    private static let last = Atomic<Int>(0)

    static func next() -> ConnectionID {
        last.wrappingAdd(1, ordering: .relaxed).newValue
    }
}
