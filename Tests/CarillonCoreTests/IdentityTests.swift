import CarillonCore
import TestSupport
import Testing

@Suite("Identity")
struct IdentityTests {
    @Test("SHA-256 matches the examples of FIPS 180-4")
    func digests() {
        func hex(_ text: String) -> String {
            SHA256.digest(of: Array(text.utf8)).map { byte in
                let digits = String(byte, radix: 16)
                return digits.count == 1 ? "0" + digits : digits
            }.joined()
        }
        #expect(hex("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        #expect(hex("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(
            hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
                == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        )
        #expect(hex(String(repeating: "a", count: 119)).count == 64)
    }

    @Test("a UUID is parsed and formatted in its canonical form only")
    func canonicalForm() throws {
        let text = "018f6a3e-7c2b-7d10-8abc-0123456789ab"
        let id = try #require(UniqueID(text))
        #expect(id.description == text)
        #expect(UniqueID(text.uppercased()) == id)
        #expect(UniqueID(bytes: id.bytes) == id)
        for bad in [
            "", "018f6a3e7c2b7d108abc0123456789ab", text + "0", String(text.dropLast()), "g" + text.dropFirst(),
            "018f6a3e-7c2b-7d10-8abc0-123456789ab",
        ] {
            #expect(UniqueID(bad) == nil, "\(bad)")
        }
        #expect(UniqueID(bytes: [1, 2, 3]) == nil)
    }

    @Test("an occurrence has the same id on every scheduler, and ids sort by time")
    func executionIDs() throws {
        let job = JobID(try #require(UniqueID("018f6a3e-7c2b-7d10-8abc-0123456789ab")))
        let other = JobID(try #require(UniqueID("018f6a3e-7c2b-7d10-8abc-0123456789ac")))
        let time = Timestamp(milliseconds: 1_790_000_000_000)
        let id = ExecutionID(job: job, scheduledTime: time, trigger: .schedule)
        #expect(id == ExecutionID(job: job, scheduledTime: time, trigger: .schedule))
        #expect(id.time == time)
        #expect(id != ExecutionID(job: other, scheduledTime: time, trigger: .schedule))
        #expect(id != ExecutionID(job: job, scheduledTime: time, trigger: .manual))
        #expect(id < ExecutionID(job: other, scheduledTime: time + 1, trigger: .schedule))
        #expect(ExecutionID.first(at: time) <= id)
        #expect(id < ExecutionID.first(at: time + 1))
        let characters = Array(id.description)
        #expect(characters[14] == "8", "version 8 (RFC 9562, section 5.8)")
        #expect("89ab".contains(characters[19]))
    }

    @Test("the hashed bytes of an execution id are fixed, because ids are stored in the database")
    func executionIDBytes() throws {
        let job = JobID(try #require(UniqueID("018f6a3e-7c2b-7d10-8abc-0123456789ab")))
        let time = Timestamp(milliseconds: 1_790_000_000_000)
        #expect(
            ExecutionID(job: job, scheduledTime: time, trigger: .schedule).description
                == "01a0c450-6c00-8187-bba1-9f8dcdfa6fcb"
        )
        #expect(
            ExecutionID(job: job, scheduledTime: time, trigger: .manual, nonce: Array(0..<200)).description
                == "01a0c450-6c00-8d8a-953f-e5835961afe2"
        )
    }

    @Test(
        "codes match RFC 4231, truncated to 128 bits",
        arguments: [
            (Array(repeating: 0x0B, count: 20), Array("Hi There".utf8), "b0344c61d8db38535ca8afceaf0bf12b"),
            (Array("Jefe".utf8), Array("what do ya want for nothing?".utf8), "5bdcc146bf60754e6a042426089575c7"),
            (Array(repeating: 0xAA, count: 20), Array(repeating: 0xDD, count: 50), "773ea91e36800e46854db8ebd09181a7"),
            (
                Array(repeating: 0xAA, count: 131),
                Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
                "60e431591ee0b67f0d8a26aacbf5b77f"
            ),
        ] as [([UInt8], [UInt8], String)]
    )
    func codes(key: [UInt8], message: [UInt8], expected: String) {
        let code = message.withUnsafeBytes { DispatchKey(key).code(of: $0) }
        let text = UniqueID(high: code.high, low: code.low).description
        #expect(text.filter { $0 != "-" } == expected)
    }

    @Test("random jobs are spread evenly over shards")
    func shards() {
        var random = SeededGenerator(seed: 7)
        var counts = [Int](repeating: 0, count: 16)
        for _ in 0..<16_000 {
            counts[
                Int(JobID(UniqueID.ordered(by: Timestamp(milliseconds: 1_790_000_000_000), using: &random)).shard)
            ] += 1
        }
        #expect(counts.allSatisfy { (800...1200).contains($0) }, "\(counts)")
    }
}
