import CarillonCore
import Testing

@Suite struct EditDistanceTests {
    @Test(
        arguments: [
            ("", "", 0), ("", "abc", 3), ("abc", "", 3), ("kitten", "sitting", 3), ("schedule", "shedule", 1),
            ("timeout_ms", "timeout_ms", 0), ("ab", "ba", 2),
        ]
    )
    func distances(_ left: String, _ right: String, _ distance: Int) {
        #expect(EditDistance.between(left, right) == distance)
        #expect(EditDistance.between(right, left) == distance)
    }

    @Test func `only the first 64 bytes of a word count`() {
        let long = String(repeating: "a", count: 100_000)
        #expect(EditDistance.between(long, "") == 64)
    }
}
