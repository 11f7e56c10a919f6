/// The `traceparent` header of a call (W3C Trace Context, section 3.2), which links a target's trace to the execution.
/// All attempts of an execution are one trace; each dispatch is a separate span. The ids are computed from execution
/// and token, without randomness.
enum TraceParent {
    static func text(execution: ExecutionID, token: DispatchToken) -> String {
        String(unsafeUninitializedCapacity: 55) { buffer in
            var count = 0
            append("00-", to: buffer, &count)
            append(execution.uuid.high, to: buffer, &count)
            append(execution.uuid.low, to: buffer, &count)
            append("-", to: buffer, &count)
            append(span(of: token), to: buffer, &count)
            // The flag "sampled": the trace should be recorded.
            append("-01", to: buffer, &count)
            return count
        }
    }

    /// The id of the span, which must not be zero.
    private static func span(of token: DispatchToken) -> UInt64 {
        let mixed = mix(mix(UInt64(bitPattern: token.epoch)) ^ token.sequence)
        return mixed == 0 ? 1 : mixed
    }

    /// The finalizer of SplitMix64: each input bit changes half of the output bits.
    private static func mix(_ value: UInt64) -> UInt64 {
        var mixed = value &+ 0x9E37_79B9_7F4A_7C15
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    private static func append(_ text: StaticString, to buffer: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int) {
        for index in 0..<text.utf8CodeUnitCount { buffer[count + index] = text.utf8Start[index] }
        count += text.utf8CodeUnitCount
    }

    private static func append(_ value: UInt64, to buffer: UnsafeMutableBufferPointer<UInt8>, _ count: inout Int) {
        let digits: StaticString = "0123456789abcdef"
        for index in 0..<16 { buffer[count + index] = digits.utf8Start[Int(value >> (60 - 4 * index) & 15)] }
        count += 16
    }
}
