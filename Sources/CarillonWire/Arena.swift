internal import CCarillonProto
internal import CProtobuf

/// Memory for the C structs of one message: allocated in pieces, released together.
///
/// The first chunk is kept between messages, so that frequent messages need no `malloc`. Chunks are linked, so allocated memory
/// never moves.
package final class Arena {
    /// A larger chunk is not kept for the next message.
    private static let keptBytes = 256 << 10
    private static let firstBytes = 8 << 10

    private let state: UnsafeMutablePointer<ArenaState>
    /// The allocator for protobuf-c. Returns NULL at the limit.
    let allocator: UnsafeMutablePointer<ProtobufCAllocator>
    /// Kept when the rest is released.
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

    /// Releases all allocated memory, and sets the limit in bytes until the next reset.
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

        /// Frees all chunks but the newest, and the newest too if it is larger than `keeping`.
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
