import Testing

@testable import CarillonCurl

@Suite struct DeliveryPaceTests {
    private static let interval = DeliveryPace.intervalNanoseconds

    @Test func aLoneResultGoesAtOnce() {
        var pace = DeliveryPace()
        #expect(pace.isDue(1, at: 5))
        pace.delivered(at: 5)
        #expect(pace.isDue(1, at: 5 + Self.interval))
    }

    @Test func laterResultsAreBatched() {
        var pace = DeliveryPace()
        pace.delivered(at: 5)
        #expect(!pace.isDue(1, at: 6))
        #expect(pace.deadline(1) == 5 + Self.interval)
        #expect(!pace.isDue(DeliveryPace.enough - 1, at: 4 + Self.interval))
        #expect(pace.isDue(DeliveryPace.enough, at: 6))
    }

    @Test func nothingIsNeverDue() {
        var pace = DeliveryPace()
        #expect(!pace.isDue(0, at: 5))
        #expect(pace.deadline(0) == nil)
        pace.delivered(at: 5)
        #expect(!pace.isDue(0, at: 6 + Self.interval))
        #expect(pace.deadline(0) == nil)
    }
}
