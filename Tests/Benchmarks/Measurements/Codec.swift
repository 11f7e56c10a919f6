import CAllocations
import CCarillonProto
import CarillonCore
import CarillonWire

extension Measurement {
    /// Encodes and decodes a Dispatch with one call, between bytes and Swift values.
    static let codec = Measurement(name: "codec", title: "encode and decode a Dispatch, against protobuf-c alone") {
        bench in
        var random = SystemRandomNumberGenerator()
        let call = DispatchedCall(
            token: DispatchToken(epoch: 7, sequence: 123_456),
            shard: 3,
            executionID: ExecutionID(UniqueID.random(using: &random)),
            jobID: JobID(UniqueID.random(using: &random)),
            attempt: 1,
            scheduledTime: Timestamp(milliseconds: 1_795_464_000_000),
            kind: .http(HTTPCall(url: "http://127.0.0.1:8080/hooks/reports/nightly", headers: [])),
            timeoutMs: 30_000,
            connectTimeoutMs: 10_000,
            atMostOnce: false,
            responseLimit: 4_096
        )
        let envelope = Envelope(.dispatch(clusterTime: Timestamp(milliseconds: 1_795_464_000_000), [call]))
        let payload = Array(MessageCodec.frame(of: envelope).dropFirst(FrameEncoder.headerBytes))
        let repetitions = bench.quick ? 50_000 : 300_000
        let codec = MessageCodec()
        var (times, plain, allocations, plainAllocations) = ([Double](), [Double](), [Double](), [Double]())
        var sum = 0
        // The first messages allocate the memory that a codec keeps.
        for _ in 0..<10 { sum += try codec.decode(payload: payload).id == 0 ? 1 : 0 }
        for _ in 0..<bench.shortRounds {
            let before = carillon_allocations()
            let time = try Stopwatch.nanoseconds(of: repetitions) { _ in
                sum += codec.withFrame(of: envelope) { $0.count }
                if case .dispatch(_, let calls) = try codec.decode(payload: payload).message { sum += calls.count }
            }
            allocations.append(Double(carillon_allocations() - before) / Double(repetitions))
            times.append(time)
            let between = carillon_allocations()
            let plainTime = plainC(payload, repetitions)
            plainAllocations.append(Double(carillon_allocations() - between) / Double(repetitions))
            plain.append(plainTime)
        }
        precondition(sum > 0)
        return Results(figures: [
            Figure(
                "encode + decode",
                "ns",
                times,
                limit: Figure.Limit(name: "protobuf-c alone", samples: Samples(plain)),
                wanted: .ratioAtMost(2)
            ),
            Figure(
                "allocations",
                "",
                allocations,
                limit: Figure.Limit(name: "protobuf-c alone", samples: Samples(plainAllocations)),
                wanted: .atMost(0)
            ),
        ])
    }

    /// Unpack, pack and free in C with the same bytes.
    private static func plainC(_ payload: [UInt8], _ repetitions: Int) -> Double {
        var output = [UInt8](repeating: 0, count: payload.count * 2)
        return Stopwatch.nanoseconds(of: repetitions) { _ in
            let message = carillon__v1__envelope__unpack(nil, payload.count, payload)
            carillon__v1__envelope__pack(message, &output)
            carillon__v1__envelope__free_unpacked(message, nil)
        }
    }
}
