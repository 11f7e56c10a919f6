internal import CCarillonProto
internal import CarillonCore
internal import Glibc

/// What a decoder of Dispatches keeps, so that the same calls again need no memory: the URL and the headers of a job come with
/// each of its calls, and a worker is done with most Dispatches before the next one comes.
struct DispatchMemory {
    /// Texts that were read, each at the place that its hash gives; another one of the same place takes it.
    private var texts: [String] = []
    /// The calls of the last Dispatch. Whoever got them may still have them.
    private var calls: [DispatchedCall] = []

    /// What the first byte of a hash can be.
    private static let places = 256
    /// Up to 15 bytes are in a String itself; what is longer than this is not kept.
    private static let keptBytes = 16...512
    /// The memory for more calls than this is left to whoever got them, and that of long bodies: until the next Dispatch comes,
    /// which may be tomorrow, the last one stays.
    private static let keptCalls = 16
    private static let keptBodyBytes = 4_096

    /// The calls of a Dispatch. Their memory is that of the last ones, unless somebody still has them.
    mutating func calls(
        _ count: Int,
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Carillon__V1__DispatchedCall>?>?
    ) throws(WireError) -> [DispatchedCall] {
        guard count > 0, let pointers else { return [] }
        var calls: [DispatchedCall] = []
        swap(&calls, &self.calls)
        // If somebody still has them this takes as much memory anew, which should not be far more than is needed.
        calls.removeAll(keepingCapacity: calls.capacity <= count * 4)
        calls.reserveCapacity(count)
        for index in 0..<count {
            guard let pointer = pointers[index] else { continue }
            calls.append(try DispatchedCall(pointer, memory: &self))
        }
        let isSmall =
            count <= Self.keptCalls && calls.allSatisfy { $0.kind.bodyBytes <= Self.keptBodyBytes }
        if isSmall { self.calls = calls }
        return calls
    }

    /// The text; the same String as the last time, if it is still at its place.
    mutating func text(_ pointer: UnsafeMutablePointer<CChar>?) -> String {
        guard let pointer else { return "" }
        let bytes = UnsafeRawBufferPointer(start: pointer, count: strlen(pointer))
        guard Self.keptBytes.contains(bytes.count) else { return String(cString: pointer) }
        if texts.isEmpty { texts = [String](repeating: "", count: Self.places) }
        let place = Self.place(of: bytes)
        let isKnown = texts[place].utf8.withContiguousStorageIfAvailable { known in
            guard known.count == bytes.count, let start = known.baseAddress else { return false }
            return memcmp(start, pointer, bytes.count) == 0
        }
        if isKnown != true { texts[place] = String(cString: pointer) }
        return texts[place]
    }

    /// From all bytes but up to seven at the beginning, which URLs have in common.
    private static func place(of bytes: UnsafeRawBufferPointer) -> Int {
        var hash = UInt64(bytes.count)
        var end = bytes.count
        while end >= 8 {
            let word = bytes.loadUnaligned(fromByteOffset: end - 8, as: UInt64.self)
            hash = (hash ^ word) &* 0x9E37_79B9_7F4A_7C15
            hash ^= hash >> 32
            end -= 8
        }
        return Int(hash >> 56)
    }
}
