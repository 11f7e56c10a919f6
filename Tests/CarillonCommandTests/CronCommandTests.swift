import CarillonJSON
import Testing

@testable import CarillonCommand

@Suite struct CronCommandTests {
    @Test func nextTimes() async {
        let outcome = await run([
            "cron", "next", "30 2 * * *", "--time-zone", "Europe/Berlin", "--from", "2027-03-27T12:00:00Z", "--count",
            "2",
        ])
        #expect(outcome.status == 0 && outcome.connection == nil)
        #expect(
            outcome.output == """
                DAY  LOCAL TIME                 ZONE  UTC
                Sun  2027-03-28T03:00:00+02:00  CEST  2027-03-28T01:00:00Z
                Mon  2027-03-29T02:30:00+02:00  CEST  2027-03-29T00:30:00Z

                """
        )
    }

    @Test(arguments: [
        (["30 2 * * *", "--dst-policy", "SKIP", "--from", "2027-03-27T12:00:00Z"], ["2027-03-29T00:30:00Z"]),
        (["30 2 * * *", "--dst-policy", "cron", "--from", "2027-03-27T12:00:00Z"], ["2027-03-28T01:00:00Z"]),
        (
            ["30 2 * * *", "--dst-policy", "BOTH", "--from", "2027-10-31", "--count", "2"],
            ["2027-10-31T00:30:00Z", "2027-10-31T01:30:00Z"]
        ),
        (
            ["0 9 * * *", "--reverse", "--count", "2", "--from", "2026-11-25T08:00:00Z"],
            ["2026-11-24T08:00:00Z", "2026-11-23T08:00:00Z"]
        ),
        (["* * * * * *", "--from", "2026-11-25T08:00:00.5Z"], ["2026-11-25T08:00:01Z"]),
        (["* * * * * *", "--reverse", "--from", "2026-11-25T08:00:00.5Z"], ["2026-11-25T08:00:00Z"]),
        (["0 0 31 2 *"], []), (["0 0 0 1 1 * 2199", "--count", "9"], ["2198-12-31T23:00:00Z"]),
        (["@every 10m+3m"], ["2026-11-25T12:43:00Z"]),
        (["@at 2030-01-01T09:00:00+01:00", "--count", "2"], ["2030-01-01T08:00:00Z"]),
    ])
    func nextTimesAsJSON(arguments: [String], times: [String]) async {
        let outcome = await run(
            ["cron", "next", "--count", "1", "--time-zone", "Europe/Berlin", "-o", "json"] + arguments
        )
        #expect(outcome.status == 0)
        #expect(outcome.json == .array(times.map(JSONValue.string)))
    }

    @Test func neverIsAnAnswer() async {
        let outcome = await run(["cron", "next", "0 0 31 2 *"])
        #expect(outcome.status == 0 && outcome.output == "never\n")
        #expect(outcome.errors == "never due: 31 February does not exist\n")
    }

    @Test(arguments: [
        (["10/5 * * * *"], "write 10-59/5", 65 as Int32),
        (["@daily", "--time-zone", "Berlin"], "Did you mean Europe/Berlin?", 65),
        (["@daily", "--from", "noon"], "noon", 64), (["@daily", "--count", "0"], "1 to 100000 are allowed", 64),
        (["@daily", "--dst-policy", "TWICE"], "TWICE", 64), ([], "an expression is missing", 64),
        (["0", "9", "*", "*", "*"], "was split into 5 words; put it in quotes", 64),
        (["@daily", "--stdin"], "--stdin takes no expression", 64),
    ])
    func wrongQuestions(arguments: [String], message: String, status: Int32) async {
        let outcome = await run(["cron", "next"] + arguments)
        #expect(outcome.status == status && outcome.output == "")
        #expect(outcome.errors.hasPrefix("error: ") && outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func manyQuestions() async {
        let lines = [
            #"{"expression":"0 9 * * *","time_zone":"Europe/Berlin","from":"2027-03-27T00:00:00Z","count":2}"#,
            #"{"expression":"30 2 * * *","time_zone":"Europe/Berlin","from":"2027-03-27T12:00:00Z","count":1,"dst_policy":"SKIP"}"#,
            #"{"expression":"@hourly","from":"2027-01-01T00:00:00Z","count":1,"reverse":true,"time_zone":null}"#,
            #"{"expression":"0 0 31 2 *"}"#, #"{"expression":"* * * *"}"#,
            #"{"expression":"@daily","time_zone":"Europe/Berlim"}"#,
            #"{"expresion":"@daily"}"#, #"{"expression":"@daily","count":0}"#, #"{"expression":"@daily","count":1.5}"#,
            #"{"expression":"@daily","dst_policy":"skip"}"#, #"{"expression":"@daily","from":1}"#, "{}", "[]", "",
            "@daily",
        ]
        let outcome = await run(["cron", "next", "--stdin"], input: [lines.joined(separator: "\n")])
        #expect(outcome.status == 0)
        let answers = outcome.jsonLines
        #expect(answers.count == lines.count)
        #expect(
            Array(answers.prefix(4)) == [
                ["times": ["2027-03-27T08:00:00Z", "2027-03-28T07:00:00Z"]], ["times": ["2027-03-29T00:30:00Z"]],
                ["times": ["2026-12-31T23:00:00Z"]], ["times": []],
            ]
        )
        let errors = answers.dropFirst(4).compactMap { $0["error"]?.string }
        let expected = [
            "comes after 4 fields", "Europe/Berlin", "unknown field \"expresion\"", "count must be",
            "count must be",
            "dst_policy must be one of CRON, SKIP, BOTH", "from must be a time", "expression is missing",
            "must be an object",
            "not JSON", "not JSON",
        ]
        #expect(errors.count == expected.count)
        for (error, part) in zip(errors, expected) { #expect(error.contains(part), "\(error)") }
    }

    @Test func answersDoNotWaitForTheEndOfTheInput() async {
        let outcome = await run(
            ["cron", "next", "--stdin"],
            input: [
                #"{"expression":"@da"#, "ily\"}\n", "{\"expression\":\"@hourly\"}\r\n{\"expression\":\"@weekly\"}\n",
                "{}",
            ]
        )
        #expect(outcome.writes == 3 && outcome.jsonLines.count == 4)
        let checks = await run(["cron", "check"], input: ["@daily\n", "@hourly\n@weekly\n"])
        #expect(checks.writes == 2 && checks.jsonLines.count == 3)
    }

    @Test func checkingFromTheInput() async {
        let outcome = await run(["cron", "check"], input: ["0 9 * * MON-FRI\n@daily\r\n\n0 0 31 2 *\n"])
        #expect(outcome.status == 65)
        #expect(
            outcome.output.hasPrefix(
                """
                {"expression":"0 9 * * MON-FRI","valid":true,"error":null,"canonical":"0 0 9 * * 1-5",\
                "description":"At 09:00:00, Monday through Friday"}
                {"expression":"@daily","valid":true,"error":null,"canonical":"0 0 0 * * *","description":"At 00:00:00"}
                {"expression":"","valid":false,"error":"In the expression, at character 1,
                """
            )
        )
        #expect(outcome.jsonLines.map { $0["valid"] } == [true, true, false, true])
        #expect(await run(["cron", "check"], input: ["@daily\n@reboot"]).status == 0)
        #expect(await run(["cron", "check"]).output == "")
    }

    @Test func checkingArguments() async {
        let outcome = await run(["cron", "check", "*/5 * * * *", "10/5 * * * *"])
        #expect(outcome.status == 65 && outcome.errors == "")
        #expect(outcome.jsonLines.map { $0["canonical"] } == ["0 */5 * * * *", .null])
        // The default is JSON in any environment; the table must be requested.
        #expect(await run(["cron", "check", "@daily"], environment: ["CARILLON_OUTPUT": "table"]).jsonLines.count == 1)
        let table = await run(["cron", "check", "-o", "table", "@daily", "* * *"])
        #expect(table.status == 65)
        #expect(
            table.output.hasPrefix(
                "VALID  EXPRESSION  WHAT IT SAYS\nyes    @daily      At 00:00:00\nno     * * *       In the"
            )
        )
    }

    @Test func suggestionsAndNotes() async {
        let outcome = await run(["cron", "check", "0 12 * * ? *", "0 0 12 ? * 6L", "x"])
        #expect(outcome.jsonLines.map { $0["suggestion"]?.string } == ["0 12 * * *", nil, nil])
        #expect(outcome.jsonLines.map { $0["note"]?.string?.contains("it is Friday") } == [nil, true, nil])
        let explained = await run(["cron", "explain", "0 0 12 ? * 6L"])
        #expect(explained.output.contains("\n\nNote: 6 in the day of week field is Saturday here"))
    }

    @Test(arguments: [
        ("GMT+2", "write Etc/GMT-2"), ("PST", "write America/Los_Angeles"), ("localtime", "zone of the machine"),
        ("America/New York", "Did you mean America/New_York"),
    ])
    func zonesThatAreNone(zone: String, message: String) async {
        let outcome = await run(["cron", "next", "@daily", "--time-zone", zone])
        #expect(outcome.status == 65 && outcome.errors.contains(message), "\(outcome.errors)")
    }

    @Test func endlessLinesAreBounded() async {
        let outcome = await run(
            ["cron", "check"],
            input: Array(repeating: String(repeating: "9", count: 50_000), count: 5) + ["\n@daily\n"]
        )
        #expect(outcome.jsonLines.map { $0["valid"] } == [false, true])
        #expect(outcome.jsonLines[0]["error"]?.string?.contains("at most 1024 are allowed") == true)
    }

    @Test func explaining() async {
        let arguments = ["cron", "explain", "0 30 9 * * MON-FRI", "--time-zone", "Europe/Berlin", "--count", "2"]
        let outcome = await run(arguments)
        #expect(
            outcome.output == """
                At 09:30:00, Monday through Friday

                DAY  LOCAL TIME                 ZONE  UTC
                Thu  2026-11-26T09:30:00+01:00  CET   2026-11-26T08:30:00Z
                Fri  2026-11-27T09:30:00+01:00  CET   2026-11-27T08:30:00Z

                """
        )
        let json = await run(arguments + ["-o", "json"])
        #expect(
            json.json == [
                "expression": "0 30 9 * * MON-FRI", "canonical": "0 30 9 * * 1-5",
                "description": "At 09:30:00, Monday through Friday", "time_zone": "Europe/Berlin", "dst_policy": "CRON",
                "times": [
                    [
                        "time": "2026-11-26T08:30:00Z", "local_time": "2026-11-26T09:30:00+01:00", "weekday": "Thu",
                        "abbreviation": "CET",
                    ],
                    [
                        "time": "2026-11-27T08:30:00Z", "local_time": "2026-11-27T09:30:00+01:00", "weekday": "Fri",
                        "abbreviation": "CET",
                    ],
                ],
            ]
        )
        #expect(await run(["cron", "explain", "0 0 31 2 *"]).output.hasSuffix("which never happens\n\nnever\n"))
    }
}
