import CarillonCore
import CarillonRuntime
import Testing

@Suite struct RateLimiterTests {
    private func at(_ seconds: Int64) -> BootTime { BootTime(nanoseconds: seconds * 1_000_000_000) }

    @Test func eachKeyPassesOnceInAPeriodWithTheSuppressedCount() {
        var limiter = RateLimiter<String>()
        #expect(limiter.pass("a", at: at(0)) == 0)
        #expect(limiter.pass("a", at: at(1)) == nil)
        #expect(limiter.pass("a", at: at(59)) == nil)
        #expect(limiter.pass("b", at: at(1)) == 0)
        #expect(limiter.pass("a", at: at(60)) == 2)
        #expect(limiter.pass("a", at: at(119)) == nil)
        #expect(limiter.pass("a", at: at(120)) == 1)
    }

    @Test func keysAreLimitedAndOldKeysAreRemoved() {
        var limiter = RateLimiter<Int>(everyMs: 1_000, keyLimit: 3)
        for key in 0..<3 { #expect(limiter.pass(key, at: at(0)) == 0) }
        #expect(limiter.pass(3, at: at(0)) == nil)
        #expect(limiter.pass(0, at: at(0)) == nil)
        #expect(limiter.pass(3, at: at(1)) == 0)
        #expect(limiter.pass(0, at: at(1)) == 0)
    }
}
