/// The identity of a job: a UUIDv7, assigned at creation.
package struct JobID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let uuid: UniqueID

    package init(_ uuid: UniqueID) {
        self.uuid = uuid
    }

    /// The job's shard, 0 to 15: the low bits of an FNV-1a hash of the id's bytes. Any process can compute it.
    package var shard: UInt8 {
        var hash: UInt32 = 2_166_136_261
        for index in 0..<16 {
            hash = (hash ^ UInt32(uuid[index])) &* 16_777_619
        }
        return UInt8((hash ^ hash >> 16) & 15)
    }

    package var description: String { uuid.description }

    package static func < (left: JobID, right: JobID) -> Bool { left.uuid < right.uuid }
}

/// The identity of an execution, ordered by its scheduled time.
///
/// UUIDv8 (RFC 9562, section 5.8): 48 bits of the scheduled time in milliseconds, then 74 bits of
/// SHA-256(job id, trigger, nonce). For a scheduled occurrence the nonce is empty, so the same occurrence has the same
/// id on every scheduler and after every crash.
package struct ExecutionID: Sendable, Hashable, Comparable, CustomStringConvertible {
    package let uuid: UniqueID

    package init(_ uuid: UniqueID) {
        self.uuid = uuid
    }

    /// The id of the occurrence of `job` at `time`.
    package init(job: JobID, scheduledTime time: Timestamp, trigger: Trigger, nonce: [UInt8] = []) {
        let digest = withUnsafeTemporaryAllocation(byteCount: 25 + nonce.count, alignment: 8) { input in
            input.storeBytes(of: job.uuid.high.bigEndian, as: UInt64.self)
            input.storeBytes(of: job.uuid.low.bigEndian, toByteOffset: 8, as: UInt64.self)
            // The time is hashed too; otherwise all ids of a job would share the same 74 bits.
            input.storeBytes(of: time.milliseconds.bigEndian, toByteOffset: 16, as: Int64.self)
            input[24] = trigger == .schedule ? 0 : 1
            for (index, byte) in nonce.enumerated() { input[25 + index] = byte }
            return SHA256.digest(of: UnsafeRawBufferPointer(input))
        }
        let clamped = UInt64(bitPattern: max(0, min(time.milliseconds, 0xFFFF_FFFF_FFFF)))
        uuid = UniqueID(
            high: clamped << 16 | 0x8000 | digest.high & 0x0FFF,
            low: digest.low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
        )
    }

    /// The time encoded in the id.
    package var time: Timestamp { Timestamp(milliseconds: Int64(uuid.high >> 16)) }

    /// The smallest id of that time: the lower bound of a range over ids.
    package static func first(at time: Timestamp) -> ExecutionID {
        ExecutionID(UniqueID(high: UInt64(bitPattern: max(0, time.milliseconds)) << 16, low: 0))
    }

    package var description: String { uuid.description }

    package static func < (left: ExecutionID, right: ExecutionID) -> Bool { left.uuid < right.uuid }
}

/// The identity of one dispatch of one attempt: the epoch of the lease, the random number of that leadership, and a
/// sequence number that is unique within both.
package struct DispatchToken: Sendable, Hashable, Comparable {
    package var epoch: Int64
    package var sequence: UInt64
    /// Distinguishes two leaderships of the same epoch, which can exist after the database was restored from a backup.
    package var incarnation: UInt64

    package init(epoch: Int64, sequence: UInt64, incarnation: UInt64 = 0) {
        self.epoch = epoch
        self.sequence = sequence
        self.incarnation = incarnation
    }

    package static func < (left: DispatchToken, right: DispatchToken) -> Bool {
        (left.epoch, left.incarnation, left.sequence) < (right.epoch, right.incarnation, right.sequence)
    }
}
