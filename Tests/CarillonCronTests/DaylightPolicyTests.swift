import CarillonCron
import Testing

/// OCPS 1.4, section 4.3.1, and the additional policies.
///
/// Berlin in 2027: on March 28th the clock goes from 02:00 to 03:00 at 01:00Z; on October 31st from 03:00 to 02:00 at 01:00Z.
@Suite struct DaylightPolicyTests {
    static let beforeGap = "2027-03-27T12:00:00Z"
    static let beforeOverlap = "2027-10-30T12:00:00Z"

    @Test func aFixedTimeInTheGap() throws {
        let regular = ["2027-03-29T00:30:00Z", "2027-03-30T00:30:00Z"]
        #expect(try times("30 2 * * *", after: Self.beforeGap, in: Zones.berlin) == ["2027-03-28T01:00:00Z"] + regular)
        #expect(
            try times("30 2 * * *", after: Self.beforeGap, in: Zones.berlin, .both) == ["2027-03-28T01:00:00Z"]
                + regular
        )
        #expect(try times("30 2 * * *", after: Self.beforeGap, in: Zones.berlin, .skip, count: 2) == regular)
    }

    @Test func severalFixedTimesInTheGapAreOneRun() throws {
        let expected = ["2027-03-28T00:30:00Z", "2027-03-28T01:00:00Z", "2027-03-28T01:30:00Z", "2027-03-28T23:00:00Z"]
        #expect(try times("0,30 1-3 * * *", after: "2027-03-28T00:00:00Z", in: Zones.berlin, count: 4) == expected)
        #expect(
            try times("* 0-59 2 * * *", after: Self.beforeGap, in: Zones.berlin, count: 2) == [
                "2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z",
            ]
        )
    }

    @Test func aFixedTimeInTheOverlap() throws {
        let first = "2027-10-31T00:30:00Z"
        let second = "2027-10-31T01:30:00Z"
        let next = "2027-11-01T01:30:00Z"
        #expect(
            try times("30 2 * * *", after: Self.beforeOverlap, in: Zones.berlin) == [
                first, next, "2027-11-02T01:30:00Z",
            ]
        )
        #expect(try times("30 2 * * *", after: Self.beforeOverlap, in: Zones.berlin, .skip, count: 2) == [first, next])
        #expect(try times("30 2 * * *", after: Self.beforeOverlap, in: Zones.berlin, .both) == [first, second, next])
    }

    @Test func theBordersOfAnOverlap() throws {
        // 02:00 is shown twice, 03:00 once.
        #expect(
            try times("0 2 * * *", after: Self.beforeOverlap, in: Zones.berlin, .both, count: 2) == [
                "2027-10-31T00:00:00Z", "2027-10-31T01:00:00Z",
            ]
        )
        #expect(
            try times("0 3 * * *", after: Self.beforeOverlap, in: Zones.berlin, .both, count: 2) == [
                "2027-10-31T02:00:00Z", "2027-11-01T02:00:00Z",
            ]
        )
        #expect(
            try times("0 3 * * *", after: Self.beforeGap, in: Zones.berlin, .both, count: 2) == [
                "2027-03-28T01:00:00Z", "2027-03-29T01:00:00Z",
            ]
        )
        #expect(
            try times("0 2 * * *", after: Self.beforeGap, in: Zones.berlin, .cron, count: 2) == [
                "2027-03-28T01:00:00Z", "2027-03-29T00:00:00Z",
            ]
        )
    }

    @Test(arguments: DaylightPolicy.allCases)
    func aStarFollowsTheClock(policy: DaylightPolicy) throws {
        // Neither a silent nor a doubled hour: every half hour, also while the clock shows 02:xx again.
        for start in ["2027-03-28T00:00:00Z", "2027-10-31T00:00:00Z"] {
            let steps = try times("*/30 * * * *", after: start, in: Zones.berlin, policy, count: 8).map(at)
            #expect(steps == (1...8).map { at(start) + $0 * 1_800 })
            let hours = try times("0 * * * *", after: start, in: Zones.berlin, policy, count: 4).map(at)
            #expect(hours == (1...4).map { at(start) + $0 * 3_600 })
        }
        // A star in one of the two fields is enough: 02:xx is shown never on the one day and twice on the other.
        #expect(
            try times("*/30 2 * * *", after: Self.beforeGap, in: Zones.berlin, policy, count: 1) == [
                "2027-03-29T00:00:00Z"
            ]
        )
        #expect(
            try times("*/30 2 * * *", after: Self.beforeOverlap, in: Zones.berlin, policy, count: 5) == [
                "2027-10-31T00:00:00Z", "2027-10-31T00:30:00Z", "2027-10-31T01:00:00Z", "2027-10-31T01:30:00Z",
                "2027-11-01T01:00:00Z",
            ]
        )
        #expect(
            try times("30 */2 * * *", after: "2027-10-31T00:00:00Z", in: Zones.berlin, policy, count: 3) == [
                "2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z", "2027-10-31T03:30:00Z",
            ]
        )
    }

    @Test func onlyTheFirstCharacterMakesAWildcard() throws {
        // 0-59 is every minute, but fixed: the repeated hour is silent.
        #expect(
            try times("0-59/30 0-23 * * *", after: "2027-10-31T00:00:00Z", in: Zones.berlin, count: 3) == [
                "2027-10-31T00:30:00Z", "2027-10-31T02:00:00Z", "2027-10-31T02:30:00Z",
            ]
        )
        #expect(
            try times("30,*/30 2 * * *", after: Self.beforeOverlap, in: Zones.berlin, count: 3) == [
                "2027-10-31T00:00:00Z", "2027-10-31T00:30:00Z", "2027-11-01T01:00:00Z",
            ]
        )
        #expect(
            try times("* 30 2 * * *", after: "2027-10-31T00:30:58Z", in: Zones.berlin, count: 2) == [
                "2027-10-31T00:30:59Z", "2027-11-01T01:30:00Z",
            ]
        )
    }

    @Test func everyMemberOfAUnionHasItsOwnRule() throws {
        #expect(
            try times("30 2 * * * | 15 * * * *", after: "2027-10-31T00:00:00Z", in: Zones.berlin, count: 4) == [
                "2027-10-31T00:15:00Z", "2027-10-31T00:30:00Z", "2027-10-31T01:15:00Z", "2027-10-31T02:15:00Z",
            ]
        )
    }

    @Test func halfAnHour() throws {
        // Lord Howe, October 4th 2026: 02:00 (+10:30) is followed by 02:30 (+11); April 4th 2027: 02:00 (+11) by 01:30.
        #expect(
            try times("15 2 * * *", after: "2026-10-03T00:00:00Z", in: Zones.lordHowe, count: 2) == [
                "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z",
            ]
        )
        #expect(
            try times("15 2 * * *", after: "2026-10-03T00:00:00Z", in: Zones.lordHowe, .skip, count: 1) == [
                "2026-10-04T15:15:00Z"
            ]
        )
        #expect(
            try times("45 1 * * *", after: "2027-04-03T00:00:00Z", in: Zones.lordHowe, .both, count: 3) == [
                "2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z", "2027-04-04T15:15:00Z",
            ]
        )
        #expect(
            try times("45 1 * * *", after: "2027-04-03T00:00:00Z", in: Zones.lordHowe, count: 2) == [
                "2027-04-03T14:45:00Z", "2027-04-04T15:15:00Z",
            ]
        )
    }

    @Test func aWholeDay() throws {
        // Samoa had no December 30th 2011: after 23:59:59 on the 29th (-10) came the 31st (+14).
        #expect(
            try times("0 9 * * *", after: "2011-12-29T00:00:00Z", in: Zones.apia, count: 3) == [
                "2011-12-29T19:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T19:00:00Z",
            ]
        )
        #expect(
            try times("0 9 * * *", after: "2011-12-29T00:00:00Z", in: Zones.apia, .skip, count: 2) == [
                "2011-12-29T19:00:00Z", "2011-12-30T19:00:00Z",
            ]
        )
        #expect(
            try times("0 9 30 12 *", after: "2011-01-01T00:00:00Z", in: Zones.apia, count: 1) == [
                "2011-12-30T10:00:00Z"
            ]
        )
        #expect(
            try times("0 9 30 12 *", after: "2011-01-01T00:00:00Z", in: Zones.apia, .skip, count: 1) == [
                "2012-12-29T19:00:00Z"
            ]
        )
        #expect(
            try times("0 */12 30 12 *", after: "2011-01-01T00:00:00Z", in: Zones.apia, count: 1) == [
                "2012-12-29T10:00:00Z"
            ]
        )
    }

    @Test func aClockThatIsSetForwardAndThenBackIntoTheGap() throws {
        // At noon to 15:00, and half an hour later from 15:30 back to 13:30: 14:00 is in the gap and shown after it.
        let noon = at("2026-06-01T12:00:00Z")
        let zone = try Zones.synthetic(0, [(noon, 10_800), (noon + 1_800, 3_600)])
        let shown = utc(noon + 3_600)
        #expect(
            try times("0 14 * * *", after: "2026-06-01T00:00:00Z", in: zone, count: 2) == [
                utc(noon), "2026-06-02T13:00:00Z",
            ]
        )
        #expect(
            try times("0 14 * * *", after: "2026-06-01T00:00:00Z", in: zone, .skip, count: 2) == [
                shown, "2026-06-02T13:00:00Z",
            ]
        )
        #expect(
            try times("0 14 * * *", after: "2026-06-01T00:00:00Z", in: zone, .both, count: 2) == [utc(noon), shown]
        )
    }

    @Test func previousIsTheInverse() throws {
        for zone in [Zones.berlin, Zones.lordHowe, Zones.apia] {
            for policy in DaylightPolicy.allCases {
                for text in ["30 2 * * *", "45 1 * * *", "*/30 * * * *", "0 9 30 12 *", "0 0 * * MON#1"] {
                    let expression = try CronExpression(text)
                    let forward = Array(
                        expression.times(after: at("2011-01-01T00:00:00Z"), in: zone, policy: policy).prefix(900)
                    )
                    var backward: [Int64] = []
                    var before = (forward.last ?? 0) + 1
                    while let time = expression.previous(before: before, in: zone, policy: policy), time >= forward[0] {
                        backward.append(time)
                        before = time
                    }
                    #expect(backward.reversed() == forward, "\(text) \(zone.name) \(policy)")
                }
            }
        }
    }
}
