import CarillonCron
import Testing

/// OCPS 1.0, sections 4 and 5: the pattern, its fields and its characters.
@Suite struct OCPS10FieldTests {
    @Test func fiveFieldsAreMinuteHourDayMonthWeekday() throws {
        #expect(try isDue("15 10 * * *", "2025-03-10T10:15:00Z"))
        #expect(try !isDue("15 10 * * *", "2025-03-10T10:14:00Z"))
        #expect(try isDue("15 10 1 10 *", "2025-10-01T10:15:00Z"))
        #expect(try isDue("30 8 * 1 1", "2025-01-06T08:30:00Z"))
    }

    @Test(arguments: ["  0 9 * * *  ", "\t0\t9 \t * * *\t", "0    9  *  *  *"])
    func blanksSeparateAndSurround(text: String) throws {
        #expect(try CronExpression(text) == CronExpression("0 9 * * *"))
        #expect(try isDue(text, "2025-03-10T09:00:00Z"))
    }

    @Test func textIsWithoutSurroundingBlanks() throws {
        #expect(try CronExpression(" \t0 9 * *  MON ").text == "0 9 * *  MON")
        #expect(try CronExpression("0 9 * * *").description == "0 9 * * *")
    }

    @Test func namesAreOfAnyCase() throws {
        for text in ["30 8 * jan Mon", "30 8 * JAN MON", "30 8 * jAn mOn"] {
            #expect(try isDue(text, "2025-01-06T08:30:00Z"))
            #expect(try !isDue(text, "2025-02-03T08:30:00Z"))
        }
        for (number, name) in ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"].enumerated() {
            #expect(try CronExpression("0 0 * * \(name)") == CronExpression("0 0 * * \(number)"))
        }
        let months = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
        for (index, name) in months.enumerated() {
            #expect(try CronExpression("0 0 1 \(name) *") == CronExpression("0 0 1 \(index + 1) *"))
        }
    }

    @Test func zeroAndSevenAreSunday() throws {
        #expect(try CronExpression("0 0 * * 0") == CronExpression("0 0 * * 7"))
        #expect(try CronExpression("0 0 * * 5-7") == CronExpression("0 0 * * 0,5,6"))
        #expect(try CronExpression("0 0 * * 0-7") == CronExpression("0 0 * * 0-6"))
        #expect(try CronExpression("0 0 * * 1-7/2") == CronExpression("0 0 * * MON,WED,FRI,SUN"))
    }

    @Test func everyFieldTakesItsBoundsAndNoMore() {
        for good in ["0 0 1 1 0", "59 23 31 12 7", "00 09 05 03 01"] { #expect(parseError(good) == nil, "\(good)") }
        for bad in [
            "60 0 1 1 0", "0 24 1 1 0", "0 0 0 1 0", "0 0 32 1 0", "0 0 1 0 0", "0 0 1 13 0", "0 0 1 1 8", "-1 0 * * *",
        ] {
            #expect(parseError(bad) != nil, "\(bad)")
        }
    }

    @Test func listsRangesAndSteps() throws {
        #expect(
            try times("5-59/15 9 * * *", after: "2025-03-10T00:00:00Z", count: 5) == [
                "2025-03-10T09:05:00Z", "2025-03-10T09:20:00Z", "2025-03-10T09:35:00Z", "2025-03-10T09:50:00Z",
                "2025-03-11T09:05:00Z",
            ]
        )
        #expect(try CronExpression("*/15 * * * *") == CronExpression("*/15,0,15 * * * *"))
        #expect(try CronExpression("0,15,30,45 0 * * *") == CronExpression("0-59/15 0 * * *"))
        #expect(try CronExpression("1-3,7,20-30/5 0 * * *") == CronExpression("30,25,20,7,3,2,1,1 0 * * *"))
        #expect(try CronExpression("0 0 * JAN-MAR,DEC MON-FRI/2") == CronExpression("0 0 * 1,2,3,12 1,3,5"))
        #expect(try CronExpression("10-10 0 * * *") == CronExpression("10 0 * * *"))
        #expect(try CronExpression("0 0 5-31/100 * *") == CronExpression("0 0 5 * *"))
    }

    @Test(arguments: [
        "0/15 * * * *", "10/10 * * * *", "/30 * * * *", "*/0 * * * *", "5-10/0 * * * *", "*/ * * * *", "10-5 * * * *",
        "5- * * * *", "-5 * * * *", ", * * * *", "1, * * * *", ",1 * * * *", "1,,2 * * * *", "** * * * *", "*5 * * * *",
        "5* * * * *", "1-2-3 * * * *", "1/2/3 * * * *", "*-5 * * * *", "1.5 * * * *", "a * * * *", "! * * * *",
        "* * * * MO",
        "* * * * MOND", "* * * FOO *", "* * * * 1-", "*/5/5 * * * *", "*/a * * * *", "+5 * * * *", "0x5 * * * *",
        "\u{a0}0 9 * * *", "0 9 * * *\n", "٣ * * * *", "* * JAN * *", "MON * * * *", "* * * MON *", "* * * * JAN",
        "*/MON * * * *",
        "* * * * 5-0", "* * * DEC-JAN *",
    ])
    func everythingElseIsAnError(text: String) {
        #expect(parseError(text) != nil)
    }
}
