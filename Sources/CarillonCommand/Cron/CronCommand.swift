internal import ArgumentParser

/// `carillon cron …`
struct CronCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cron",
        abstract: "Work with cron expressions; no scheduler is needed.",
        discussion: """
            Expressions have 5 fields (minute hour day-of-month month day-of-week), 6 (second first) or 7 (year last), or are a \
            nickname such as @daily, @every 90s, @at 2030-01-01T09:00:00Z. Several expressions are joined by |. \
            Intervals in local time have a start: @every 14d from 2026-01-05T09:00, and \
            @every 2w on MON,WED from 2026-01-05T09:00.

              carillon cron explain '0 30 9 * * MON-FRI' --time-zone Europe/Berlin
              carillon cron next '0 0 12 1 * +MON' --count 3
              carillon cron next '30 2 * * *' --time-zone Europe/Berlin --from 2027-03-27 --dst-policy SKIP
              carillon cron check '*/5 * * * *' '10/5 * * * *'

            FIELD         VALUES        BESIDES * , - /
              second        0-59
              minute        0-59
              hour          0-23
              day of month  1-31          L last day, L-3, 15W nearest weekday, LW last weekday, LW-1, ? as *
              month         1-12 JAN-DEC
              day of week   0-7 SUN-SAT   FRI#2 second Friday, FRI#L and 5L last Friday, ? as *
              year          1970-2199

            0 and 7 are Sunday. A step follows * or a range: 10-59/5. If both day fields are restricted, a day that matches either \
            of them is due; + before the day of week requires both: '0 12 1 * +MON' is noon of the 1st if the day is a Monday.
            """,
        subcommands: [CronNext.self, CronExplain.self, CronCheck.self]
    )
}
