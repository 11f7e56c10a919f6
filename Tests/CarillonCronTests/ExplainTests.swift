import CarillonCron
import Testing

/// Descriptions are one exact sentence.
@Suite struct ExplainTests {
    @Test(arguments: [
        ("0 30 9 * * MON-FRI", "At 09:30:00, Monday through Friday"),
        ("30 9 * * *", "At 09:30:00"),
        ("0 9,17 * * *", "At 09:00:00 and 17:00:00"),
        ("*/30 9 * * *", "Whenever the clock shows 09:00:00 or 09:30:00"),
        ("* * * * *", "Every minute"),
        ("* * * * * *", "Every second"),
        ("*/5 * * * *", "Every 5 minutes"),
        ("*/7 * * * *", "At every 7th minute from 0 through 56 of every hour"),
        ("*/10 * * * * *", "Every 10 seconds"),
        ("0 * * * *", "Every hour"),
        ("0 */2 * * *", "Every 2 hours"),
        ("0 */5 * * *", "Whenever the clock shows 00:00:00, 05:00:00, 10:00:00, 15:00:00 or 20:00:00"),
        ("30 * * * *", "At minute 30 of every hour"),
        ("15,45 * * * *", "At minutes 15 and 45 of every hour"),
        ("15,45 9-17 * * *", "At minutes 15 and 45 of hours 09 through 17"),
        ("*/5 9-17 * * 1-5", "Every 5 minutes from 09:00 through 17:55, Monday through Friday"),
        ("*/5 9,12,15,20 * * *", "Every 5 minutes of hours 09, 12, 15 and 20"),
        ("30 */2 * * *", "At minute 30 of every 2nd hour from 00 through 22"),
        ("30 * * * * *", "At second 30 of every minute"),
        ("*/20 * 8 * * *", "Every 20 seconds from 08:00:00 through 08:59:40"),
        ("* 30 9 * * *", "Every second of minute 30 of hour 09"),
        ("30 */5 * * * *", "At second 30 of every 5th minute from 0 through 55 of every hour"),
        ("0 0 1 * *", "At 00:00:00, on day 1 of the month"),
        ("0 0 1,15 * *", "At 00:00:00, on days 1 and 15 of the month"),
        ("0 0 1-7,15 * *", "At 00:00:00, on days 1 through 7 and 15 of the month"),
        ("0 0 */2 * *", "At 00:00:00, on every 2nd day from 1 through 31 of the month"),
        ("0 0 L * *", "At 00:00:00, on the last day of the month"),
        ("0 0 L-3 * *", "At 00:00:00, on the 3rd day before the last day of the month"),
        ("0 0 15W * *", "At 00:00:00, on the weekday (Monday through Friday) nearest day 15 of the month"),
        ("0 0 LW * *", "At 00:00:00, on the last weekday (Monday through Friday) of the month"),
        ("0 0 * * 1", "At 00:00:00, on Monday"),
        ("0 0 * * 0,6", "At 00:00:00, on Saturday and Sunday"),
        ("0 0 * * 5-7", "At 00:00:00, Friday through Sunday"),
        ("0 0 * * FRI#2", "At 00:00:00, on the second Friday of the month"),
        ("0 0 * * 5L", "At 00:00:00, on the last Friday of the month"),
        ("0 0 13 * 5", "At 00:00:00, on day 13 of the month or on Friday"),
        ("0 0 13 * +5", "At 00:00:00, on day 13 of the month if it is Friday"),
        ("0 0 29 2 *", "At 00:00:00, on day 29 of the month, in February"),
        ("0 0 1 */3 *", "At 00:00:00, on day 1 of the month, in January, April, July and October"),
        ("0 0 1 6-8 *", "At 00:00:00, on day 1 of the month, in June through August"),
        ("0 0 0 1 1 * 2030", "At 00:00:00, on day 1 of the month, in January, in 2030"),
        ("0 0 0 1 1 * */2", "At 00:00:00, on day 1 of the month, in January, in every 2nd year from 1970 through 2198"),
        ("0 0 31 2 *", "At 00:00:00, on day 31 of the month, in February, which never happens"),
        ("@daily", "At 00:00:00"),
        ("@reboot", "When the system starts"),
        ("@every 90m", "Every 1 hour 30 minutes, counted from 00:00:00 UTC"),
        ("@every 10m+3m", "Every 10 minutes, counted from 00:03:00 UTC"),
        ("@every 1d", "Every day at 00:00:00 UTC"), ("@every 1d+9h", "Every day at 09:00:00 UTC"),
        ("@every 14d+4d9h", "Every 14 days of elapsed time, counted from 1970-01-05T09:00:00Z"),
        ("@every 7h", "Every 7 hours of elapsed time, counted from 1970-01-01T00:00:00Z"),
        ("@every 14d from 2026-01-05T09:00:00Z", "Every 14 days of elapsed time, from 2026-01-05T09:00:00Z on"),
        (
            "@every 14d from 2026-01-05T09:00",
            "Every 2 weeks on Monday at 09:00:00 on the local clock, from 2026-01-05 on"
        ),
        ("@every 1d from 2026-01-05", "Every day at 00:00:00 on the local clock, from 2026-01-05 on"),
        ("@every 3d from 2026-01-05", "Every 3 days at 00:00:00 on the local clock, from 2026-01-05 on"),
        ("@every 8h from 2026-01-05T06:00", "Every 8 hours on the local clock, from 2026-01-05T06:00:00 on"),
        (
            "@every 2w on MON,WED from 2026-01-05T09:00",
            "Every 2 weeks on Monday and Wednesday at 09:00:00 on the local clock, from 2026-01-05 on, in weeks that begin on Monday"
        ),
        (
            "@every 1w on SUN,SAT from 2026-01-05T09:00",
            "Every week on Saturday and Sunday at 09:00:00 on the local clock, from 2026-01-10 on"
        ),
        (
            "0 0-23 * * *",
            "Every hour, as fixed times of day: once only in a repeated hour unless dst_policy is BOTH"
        ),
        (
            "30 0-23 * * *",
            "At minute 30 of every hour, as fixed times of day: once only in a repeated hour unless dst_policy is BOTH"
        ),
        ("*/60 9-17 * * *", "At minute 0 of hours 09 through 17, whenever the clock shows it"),
        ("0 9-17 * * *", "At minute 0 of hours 09 through 17"),
        ("0 0 1-31 * *", "At 00:00:00, on every day of the month"),
        ("0 0 1-31 * MON", "At 00:00:00, on every day of the month or on Monday"),
        ("0 0 1-31 * +MON", "At 00:00:00, on every day of the month if it is Monday"),
        ("0 0 LW-1 * *", "At 00:00:00, on the weekday before the last weekday (Monday through Friday) of the month"),
        (
            "0 0 LW-3 * *",
            "At 00:00:00, on the 3rd weekday before the last weekday (Monday through Friday) of the month"
        ),
        ("@at 2026-11-23T20:00:00Z", "Once, at 2026-11-23T20:00:00Z"),
        ("0 9 * * * | 0 11 * * 6", "At 09:00:00; and at 11:00:00, on Saturday"),
    ])
    func sentences(text: String, sentence: String) throws {
        #expect(try CronExpression(text).explained() == sentence)
    }

    @Test(arguments: [
        ("*/5 * * * *", "0 */5 * * * *"), ("0 9 * * MON-FRI", "0 0 9 * * 1-5"), ("0 0 * * 7", "0 0 0 * * 0"),
        ("05 9 ? JAN,FEB ?", "0 5 9 * 1,2 *"), ("*/15,7 5 * * *", "0 */15,7 5 * * *"),
        ("7,*/15 5 * * *", "0 0,7,15,30,45 5 * * *"),
        ("0-59 0-23 1-31 1-12 0-7", "0 0-59 0-23 1-31 * 0-6"), ("*/60 */30 * * *", "0 */60 */24 * * *"),
        ("10-50/10 5 1,L,L-2 * FRI#L,MON", "0 10-50/10 5 1,L,L-2 * 1,5#L"), ("0 0 1 * +MON", "0 0 0 1 * +1"),
        ("0 0 0 1 1 * */2", "0 0 0 1 1 * 1970-2198/2"), ("@every 3600s", "@every 1h"), ("* * * * * * *", "* * * * * *"),
        ("0 0 LW * *", "0 0 0 LW * *"), ("0 0 LW-02 * *", "0 0 0 LW-2 * *"), ("0 0 * * SAT-SUN", "0 0 0 * * 0,6"),
        ("0 9 * * *|0 8 * * *|0 9 * * *", "0 0 8 * * * | 0 0 9 * * *"),
        ("@every 2w from 2026-01-05", "@every 14d from 2026-01-05T00:00:00"),
        ("@every 2w on MON from 2026-01-06T09:00", "@every 14d from 2026-01-19T09:00:00"),
        ("@every 2w on WED,MON from 2026-01-06 09:00:30", "@every 14d on MON,WED from 2026-01-07T09:00:30"),
        ("@every 1w on MON-SUN from 2026-01-06T09:00", "@every 7d on SUN-SAT from 2026-01-06T09:00:00"),
        ("@every 1h from 2026-01-05T09:00:00+01:00", "@every 1h from 2026-01-05T08:00:00Z"),
        ("@every 1h from 1970-01-01T00:10:00Z", "@every 1h+10m"),
    ])
    func canonicalForms(text: String, canonical: String) throws {
        let expression = try CronExpression(text)
        #expect(expression.canonical == canonical)
        #expect(try CronExpression(canonical) == expression)
        #expect(try CronExpression(canonical).hashValue == expression.hashValue)
    }
}
