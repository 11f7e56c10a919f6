import CarillonWire
import Testing

@Suite struct FrameDecoderTests {
    private func decode(_ pieces: [[UInt8]], max: Int = 1 << 20) throws -> [[UInt8]] {
        var decoder = FrameDecoder(maxFrameBytes: max)
        var payloads: [[UInt8]] = []
        for piece in pieces {
            try decoder.feed(piece) { (payload) throws(WireError) in payloads.append(Array(payload)) }
        }
        return payloads
    }

    private func stream(seed: UInt64, frames: Int) -> (payloads: [[UInt8]], bytes: [UInt8]) {
        var random = SeededGenerator(seed: seed)
        var payloads: [[UInt8]] = []
        var bytes: [UInt8] = []
        for _ in 0..<frames {
            let size = [0, 1, 2, 3, 4, 5, 100, 1_000, 70_000].randomElement(using: &random) ?? 0
            let payload = (0..<size).map { _ in UInt8.random(in: 0...255, using: &random) }
            payloads.append(payload)
            FrameEncoder.append(payload: payload, to: &bytes)
        }
        return (payloads, bytes)
    }

    @Test func wholeFramesInOnePiece() throws {
        let (payloads, bytes) = stream(seed: 1, frames: 20)
        #expect(try decode([bytes]) == payloads)
    }

    @Test func byteByByteIsTheSameAsInBulk() throws {
        let (payloads, bytes) = stream(seed: 2, frames: 8)
        #expect(try decode(bytes.map { [$0] }) == payloads)
    }

    @Test(arguments: 1...40) func anyPiecesAreTheSame(seed: UInt64) throws {
        let (payloads, bytes) = stream(seed: seed, frames: 6)
        var random = SeededGenerator(seed: seed &* 7919)
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let size = [1, 2, 3, 4, 5, 1_000, 66_000].randomElement(using: &random) ?? 1
            let end = min(bytes.count, start + size)
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        #expect(try decode(pieces) == payloads, "seed \(seed)")
    }

    @Test func lengthOverTheLimitIsRefusedBeforeTheBody() {
        var decoder = FrameDecoder(maxFrameBytes: 16)
        var error: WireError?
        do throws(WireError) {
            try decoder.feed([0, 0, 0, 17]) { (_) throws(WireError) in }
        } catch let caught {
            error = caught
        }
        #expect(error?.kind == .oversized)
        #expect(error?.text == "a frame announces 17 bytes; the limit is 16")
        #expect(decoder.bufferedBytes == 0)
        // Later calls throw as well.
        #expect(throws: WireError.self) { try decoder.feed([0, 0, 0, 1, 1]) { (_) throws(WireError) in } }
    }

    @Test(arguments: ["HTTP/1.1 400 Bad Request", "GET / HTTP/1.1", "OPTIONS * HTTP/1.1", "PRI * HTTP/2.0"])
    func httpIsNamedInTheError(_ text: String) {
        var decoder = FrameDecoder()
        let error = #expect(throws: WireError.self) { try decoder.feed(Array(text.utf8)) { (_) throws(WireError) in } }
        #expect(error?.kind == .malformed)
        #expect(error?.text.hasPrefix("received HTTP instead of the Carillon protocol") == true)
    }

    @Test func lengthOverTheLimitIsRefusedByteByByte() throws {
        var decoder = FrameDecoder(maxFrameBytes: 16)
        for byte: UInt8 in [0xFF, 0xFF, 0xFF] { try decoder.feed([byte]) { (_) throws(WireError) in } }
        #expect(throws: WireError.self) { try decoder.feed([0xFF]) { (_) throws(WireError) in } }
    }

    @Test func aFrameOfExactlyTheLimitIsAccepted() throws {
        let payload = [UInt8](repeating: 7, count: 16)
        #expect(try decode([FrameEncoder.frame(payload: payload)], max: 16) == [payload])
    }

    @Test func noMemoryForMissingBytes() throws {
        var decoder = FrameDecoder(maxFrameBytes: 4 << 20)
        try decoder.feed([0, 0x3F, 0xFF, 0xFF, 1, 2, 3]) { (_) throws(WireError) in }
        #expect(decoder.bufferedBytes == 7)
    }

    @Test func anErrorOfTheReaderStops() {
        var decoder = FrameDecoder()
        var count = 0
        let bytes = FrameEncoder.frame(payload: [1]) + FrameEncoder.frame(payload: [2])
        #expect(throws: WireError.self) {
            try decoder.feed(bytes) { (_) throws(WireError) in
                count += 1
                throw WireError(.malformed, "no")
            }
        }
        #expect(count == 1)
    }
}
