import CarillonCore
import CarillonCron
import Testing

@Suite("Rules for URLs, headers and texts")
struct RuleTests {
    @Test(
        "valid URLs",
        arguments: [
            "http://127.0.0.1:8080/", "https://example.com", "HTTP://Example.com/a?b=c#d", "http://[::1]:9/x",
            "http://a.b.c/%7Euser?x=%20", "http://_x.a-b.example./", "http://1/", "https://xn--bcher-kva.example/",
            "http://bücher.example/", "https://b%C3%BCcher.example:8443/x", "http://BÜCHER.example", "http://ä.de/",
            "http://例え。テスト/", "http://правда.рф/?q=1", "http://i❤.ws/", "http://2130706433/", "http://0x7f.1/",
            "http://0177.0.0.01/", "http://[1:2:3:4:5:6:7:8]/", "http://[::ffff:1.2.3.4]/", "http://[1::]/",
            "http://a.example./", "http://r1---sn-x.example/", "http://web.1/", "http://%61.example/",
            "http://\(String(repeating: "a", count: 63)).example/",
        ]
    )
    func accepted(url: String) {
        #expect(URLRule.problem(with: url) == nil)
    }

    @Test(
        "invalid URLs, with the reason",
        arguments: [
            ("", "is empty"), ("example.com", "no scheme"), ("ftp://example.com/", "only http and https"),
            ("javascript:alert(1)", "only http and https"), ("file:///etc/passwd", "only http and https"),
            ("http:/example.com", "no '//'"), ("http://", "no host"), ("http:///path", "no host"),
            ("http://user:secret@example.com/", "user name or password"), ("http://exa mple.com/", "position 11"),
            ("http://example.com:0/", "1 to 65535"), ("http://example.com:99999/", "1 to 65535"),
            ("http://[::1/", "without a ']'"), ("http://[zz]/", "an invalid IPv6"), ("http://a/%zz", "position 10"),
            ("http://a/\u{7}", "position 10"), ("http://a.de/ä", "position 13"), ("http://a.de:8ä/", "1 to 65535"),
            ("http://a_b!/", "not a host name"),
            ("http://-/", "not a host name"), ("http://.../", "not a host name"), ("http://a..b/", "not a host name"),
            ("http://.a/", "not a host name"), ("http://[1::2::3]/", "an invalid IPv6"),
            ("http://[1:2:3:4:5:6:7]/", "an invalid IPv6"),
            ("http://[1:2:3:4:5:6:7:8:9]/", "an invalid IPv6"), ("http://[:1]/", "an invalid IPv6"),
            ("http://[::12345]/", "an invalid IPv6"),
            ("http://[1.2.3.4]/", "an invalid IPv6"), ("http://[::1.2.3.04]/", "an invalid IPv6"),
            ("http://[]/", "an invalid IPv6"),
            ("http://[fe80::1%25eth0]/", "an invalid IPv6"), ("http://a%00b/", "blank or control"),
            ("http://a%20b/", "blank or control"), ("http://a%2fb/", "has '/'"), ("http://a%40b/", "has '@'"),
            ("http://%ff/", "not UTF-8"), ("http://a~b/", "has '~'"), ("http://-a.example/", "hyphen"),
            ("http://a-.example/", "hyphen"), ("http://a.-b/", "hyphen"), ("http://-bü.example/", "hyphen"),
            ("http://ab--cdü.example/", "two hyphens"), ("http://xn--zzzz.bü/", "two hyphens"),
            ("http://\(String(repeating: "a", count: 64)).example/", "64 bytes"),
            ("http://\(String(repeating: "ü", count: 60)).example/", "at most 63"),
            (
                "http://\(Array(repeating: String(repeating: "a", count: 60), count: 5).joined(separator: "."))/",
                "at most 253"
            ),
            ("http://256.256.256.256/", "not an IPv4"), ("http://1.2.3.4.5/", "not an IPv4"),
            ("http://08.1.1.1/", "not an IPv4"),
            ("http://1.2.3.4./", "not an IPv4"), ("http://4294967296/", "not an IPv4"),
            ("http://a\u{200D}b/", "not a host name"),
            ("http://\u{301}a/", "not a host name"), ("http://a..b./", "empty"), ("http://a‐b/", "not a host name"),
        ]
    )
    func refused(url: String, text: String) {
        let problem = URLRule.problem(with: url)
        #expect(problem?.contains(text) == true, "\(url): \(problem ?? "accepted")")
    }

    @Test("a URL has at most 2,083 bytes")
    func length() {
        let base = "http://example.com/"
        let longest = base + String(repeating: "a", count: URLRule.maxBytes - base.count)
        #expect(URLRule.problem(with: longest) == nil)
        #expect(URLRule.problem(with: longest + "a")?.contains("2084 bytes") == true)
    }

    @Test(
        "invalid headers",
        arguments: [
            HTTPHeader(name: "Host", value: "x"), HTTPHeader(name: "content-length", value: "1"),
            HTTPHeader(name: "Idempotency-Key", value: "x"), HTTPHeader(name: "X-Carillon-Job-Id", value: "x"),
            HTTPHeader(name: "X-Evil", value: "a\r\nHost: b"), HTTPHeader(name: "", value: "x"),
            HTTPHeader(name: "a b", value: "x"), HTTPHeader(name: "X-Nul", value: "a\u{0}"),
        ]
    )
    func refusedHeaders(header: HTTPHeader) {
        #expect(HeaderRule.problems(with: [header]).count == 1)
    }

    @Test("valid headers pass, but not twice")
    func acceptedHeaders() {
        let headers = [HTTPHeader(name: "Authorization", value: "Bearer x"), HTTPHeader(name: "X-A", value: "a\tb")]
        #expect(HeaderRule.problems(with: headers).isEmpty)
        #expect(HeaderRule.problems(with: headers + [HTTPHeader(name: "x-a", value: "c")]).count == 1)
    }

    private let rules = JobRules(defaults: JobDefaults()) { text, _, policy in
        guard let expression = try? CronExpression(text) else { return .failure(JobRules.FieldErrors([])) }
        return .success(SchedulePlan(expression: expression, zone: .utc, policy: policy))
    }

    /// Each list fits into a request body, but an answer with all errors would exceed a frame.
    @Test("the number of reported field errors is limited")
    func manyErrors() {
        var settings = JobSettings()
        (settings.schedule, settings.url) = ("* * * * * *", "http://127.0.0.1:1/")
        settings.tags = Array(repeating: "", count: 100_000)
        settings.headers = (0..<100_000).map { HTTPHeader(name: "no name \($0)", value: "") }
        settings.cleared = Set((0..<100_000).map { "field \($0)" })
        let id = JobID(UniqueID(high: 1, low: 1))
        let error = #expect(throws: ClientError.self) { try rules.make(settings, id: id) }
        #expect(error?.errors.count == ClientError.maxFieldErrors)
        settings.cleared = []
        let fewer = #expect(throws: ClientError.self) { try rules.make(settings, id: id) }
        #expect(fewer?.errors.contains { $0.message == "are 100000; at most 32 are allowed" } == true)
        #expect(fewer?.errors.contains { $0.message == "are 100000; at most 64 are allowed" } == true)
        #expect((fewer?.errors.count ?? 0) < ClientError.maxFieldErrors + 10)
    }

    @Test(
        "a name is not blank, has no control characters and is not an id",
        arguments: [
            (" \u{00A0}  ", "is blank"), ("", "1 to 200 bytes"), ("a\tb", "control characters"),
            ("01a21637-e744-7439-a539-09de1ec8b64d", "looks like an id"),
            (String(repeating: "n", count: 201), "1 to 200"),
        ]
    )
    func names(_ name: String, _ text: String) {
        var settings = JobSettings()
        (settings.schedule, settings.url, settings.name) = ("* * * * * *", "http://127.0.0.1:1/", name)
        let error = #expect(throws: ClientError.self) { try rules.make(settings, id: JobID(UniqueID(high: 1, low: 1))) }
        #expect(error?.errors.map(\.field) == ["name"])
        #expect(error?.errors.first?.message.contains(text) == true)
    }

    @Test("a missing required setting is reported once, whether null or absent", arguments: [true, false])
    func missing(isSaid: Bool) {
        var settings = JobSettings()
        settings.cleared = isSaid ? ["schedule", "api_url"] : []
        let error = #expect(throws: ClientError.self) { try rules.make(settings, id: JobID(UniqueID(high: 1, low: 1))) }
        #expect(error?.errors.map(\.field).sorted() == ["api_url", "schedule"])
        #expect(error?.errors.allSatisfy { $0.message.hasPrefix("is missing") } == true)
    }

    @Test("a job's body has at most 1 MiB")
    func bodies() throws {
        var settings = JobSettings()
        (settings.schedule, settings.url) = ("* * * * * *", "http://127.0.0.1:1/")
        settings.body = String(repeating: "x", count: JobRules.maxBodyBytes)
        let id = JobID(UniqueID(high: 1, low: 1))
        #expect(try rules.make(settings, id: id).job.call.body == settings.body)
        settings.body?.append("y")
        let error = #expect(throws: ClientError.self) { try rules.make(settings, id: id) }
        #expect(error?.errors.map(\.field) == ["body"])
        #expect(error?.errors.first?.message.contains("1048577 bytes") == true)
    }
}
