import CarillonCore
import Testing

@testable import CarillonHTTP

@Suite struct DateHeaderTests {
    /// The examples of RFC 9110, section 5.6.7, and the last days of a week and of a leap year.
    @Test(arguments: [
        (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (1_709_251_199, "Thu, 29 Feb 2024 23:59:59 GMT"), (1_735_689_600, "Wed, 01 Jan 2025 00:00:00 GMT"),
        (1_795_514_400, "Tue, 24 Nov 2026 10:00:00 GMT"),
    ])
    func isWrittenAsTheStandardSays(_ seconds: Int64, _ text: String) {
        #expect(DateHeader.format(seconds: seconds) == text)
    }

    @Test func changesWithTheSecondEitherWay() {
        let header = DateHeader()
        let second = Timestamp(seconds: 784_111_777)
        #expect(header.text(at: second) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(header.text(at: second + 999) == "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(header.text(at: second + 1_000) == "Sun, 06 Nov 1994 08:49:38 GMT")
        #expect(header.text(at: second - 1) == "Sun, 06 Nov 1994 08:49:36 GMT")
    }
}
