internal import CCarillonProto
internal import CProtobuf

/// Memory for the C structs of one message: taken piece by piece, given back all at once.
///
/// The first chunk is kept from message to message, so that the hot ones need no `malloc`. Chunks are linked: what has
/// been handed out never moves.
package final class Arena {
    /// A chunk larger than this is not kept for the next message.
    private static let keptBytes = 256 << 10
    private static let firstBytes = 8 << 10

    private let state: UnsafeMutablePointer<ArenaState>
    /// For protobuf-c. It says no (NULL) at the limit.
    let allocator: UnsafeMutablePointer<ProtobufCAllocator>
    /// Not given back with the rest.
    var dispatches = DispatchMemory()

    package init() {
        state = .allocate(capacity: 1)
        state.initialize(to: ArenaState())
        allocator = .allocate(capacity: 1)
        allocator.initialize(
            to: ProtobufCAllocator(
                alloc: { data, size in
                    data.unsafelyUnwrapped.assumingMemoryBound(to: ArenaState.self).pointee.take(size)
                },
                free: { _, _ in },
                allocator_data: UnsafeMutableRawPointer(state)
            )
        )
    }

    deinit {
        state.pointee.release(keeping: 0)
        state.deallocate()
        allocator.deallocate()
    }

    /// Forgets everything that was handed out. At most `limit` bytes are handed out until the next time.
    func reset(limit: Int = .max) {
        state.pointee.release(keeping: Arena.keptBytes)
        state.pointee.limit = limit
    }

    /// Uninitialized memory for `count` values, aligned to 8 bytes.
    func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        raw(MemoryLayout<T>.stride * count).bindMemory(to: type, capacity: count)
    }

    /// Uninitialized bytes, aligned to 8.
    package func raw(_ bytes: Int) -> UnsafeMutableRawPointer {
        guard let memory = state.pointee.take(bytes) else {
            preconditionFailure("the arena of an encoder has no limit")
        }
        return memory
    }

    private struct ArenaState {
        /// The newest chunk; its first two words are the older chunk and its own size.
        var chunk: UnsafeMutableRawPointer?
        var used = 0
        var capacity = 0
        var total = 0
        var limit = Int.max

        mutating func take(_ bytes: Int) -> UnsafeMutableRawPointer? {
            let start = (used + 7) & ~7
            if let chunk, bytes <= capacity - start {
                used = start + bytes
                return chunk + start
            }
            return takeFromNewChunk(bytes)
        }

        @inline(never)
        private mutating func takeFromNewChunk(_ bytes: Int) -> UnsafeMutableRawPointer? {
            guard bytes <= limit, total <= limit - bytes else { return nil }
            let size = max(Arena.firstBytes, capacity * 2, bytes + 16)
            let new = UnsafeMutableRawPointer.allocate(byteCount: size, alignment: 16)
            new.storeBytes(of: chunk, as: UnsafeMutableRawPointer?.self)
            new.storeBytes(of: size, toByteOffset: 8, as: Int.self)
            chunk = new
            capacity = size
            total += size
            used = 16 + bytes
            return new + 16
        }

        /// Frees all chunks but the newest, and that one too if it is larger than `keeping`.
        mutating func release(keeping: Int) {
            guard let newest = chunk else { return }
            var older = newest.load(as: UnsafeMutableRawPointer?.self)
            while let next = older {
                older = next.load(as: UnsafeMutableRawPointer?.self)
                next.deallocate()
            }
            if capacity <= keeping {
                newest.storeBytes(of: nil, as: UnsafeMutableRawPointer?.self)
                used = 16
                total = capacity
            } else {
                newest.deallocate()
                chunk = nil
                used = 0
                capacity = 0
                total = 0
            }
        }
    }
}
