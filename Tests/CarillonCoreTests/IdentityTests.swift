import CarillonCore
import TestSupport
import Testing

@Suite("Identity")
struct IdentityTests {
    @Test("SHA-256 gives the digests of FIPS 180-4's examples")
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

    @Test("a UUID is read and written in its canonical form, and nothing else is read")
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

    @Test("an occurrence has the same id everywhere, and ids order by time")
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

    @Test("shards are spread evenly over random jobs")
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
