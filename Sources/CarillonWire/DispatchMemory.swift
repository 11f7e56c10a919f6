internal import CCarillonProto
internal import CarillonCore
internal import Glibc

/// Memory that a decoder of Dispatches reuses. The URL and headers of a job are the same for each of its calls, and a worker has
/// usually processed a Dispatch before the next one arrives.
struct DispatchMemory {
    /// Cached texts, indexed by hash; a new text replaces the text with the same index.
    private var texts: [String] = []
    /// The calls of the last Dispatch. The receiver may still hold them.
    private var calls: [DispatchedCall] = []

    /// The number of cached texts: the values of a hash's first byte.
    private static let places = 256
    /// The lengths of cached texts. Up to 15 bytes are stored inline in a String; longer texts are not cached.
    private static let keptBytes = 16...512
    /// Larger Dispatches, and Dispatches with larger bodies, are not kept: kept memory stays allocated until the next Dispatch,
    /// which may be much later.
    private static let keptCalls = 16
    private static let keptBodyBytes = 4_096

    /// The calls of a Dispatch. Reuses the memory of the previous array unless the receiver still holds it.
    mutating func calls(
        _ count: Int,
        _ pointers: UnsafeMutablePointer<UnsafeMutablePointer<Carillon__V1__DispatchedCall>?>?
    ) throws(WireError) -> [DispatchedCall] {
        guard count > 0, let pointers else { return [] }
        var calls: [DispatchedCall] = []
        swap(&calls, &self.calls)
        // If the receiver still holds the array, this allocates a new one, whose capacity should not be far above `count`.
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

    /// The text; the cached String if it is equal.
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

    /// Hashes all bytes except for up to seven at the start, which URLs have in common.
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
