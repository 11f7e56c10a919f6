import CarillonJSON
import CarillonRuntime
import CarillonSystem
import CarillonWire
import HTTPTypes
import Testing

@testable import CarillonGateway

/// The hosts that a gateway accepts, and the origins from which it accepts changes.
@Suite struct OriginTests {
    private static let configuration = GatewayConfiguration(
        publicURL: WebOrigin("https://carillon.example.com"),
        allowedHosts: ["gateway", "jobs.example.org"],
        trustedProxies: ["10.0.0.0/8", "fd00::/8"].compactMap { AddressRange($0) }
    )
    private static let own = OriginGuard(configuration, machineName: "box.example.net")
    private static let body = #"{"schedule": "@daily", "api_url": "http://a"}"#

    private func get(_ host: String?, _ uri: String = "/api/v1/jobs", headers: HTTPFields = [:]) async throws
        -> Answered
    {
        let scheduler = FakeScheduler(["list_jobs": ["jobs": []], "get_cluster": Examples.cluster])
        return try await ask(gateway(scheduler), .get, uri, headers: headers, host: host, guardedBy: Self.own)
    }

    // MARK: Hosts

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:8000", "192.0.2.7:1", "0.0.0.0:8000", "[::1]", "[::1]:8000", "[FD00::1]:80",
        "[fe80::1%25eth0]:80",
        "localhost", "LocalHost:8000", "localhost.", "a.localhost:8000", "box.example.net", "BOX.example.net:9",
        "gateway",
        "gateway:80", "jobs.example.org.", "carillon.example.com", "carillon.example.com:8443", nil,
    ])
    func anAddressOrAnAllowedNameIsAnswered(_ host: String?) async throws {
        #expect(try await get(host).status == 200)
    }

    @Test(arguments: [
        "evil.test", "evil.test:8000", "localhost.evil.test", "evil-localhost", "127.0.0.1.evil.test", "127.1",
        "2130706433",
        "0x7f000001", "017700000001", "127.0.0.1.", "1.2.3.4.5", "box", "box.example.net.evil.test", "x.gateway",
        "example.com", "",
        "a:b", "[::1", "[evil.test]", "[127.0.0.1]", "localhost:65536", "localhost:8000:8000", ":8000", "a..b",
        "local%68ost",
        "localhost,evil.test",
    ])
    func anotherNameIsNotAnswered(_ host: String) async throws {
        for uri in ["/api/v1/jobs", "/", "/docs", "/health", "/metrics", "/openapi.json", "/nope", "/%zz"] {
            let answer = try await get(host, uri)
            #expect(answer.status == 421)
            let problem = try answer.json
            #expect(problem["code"] == "HOST_NOT_ALLOWED")
            #expect(problem["detail"]?.string?.contains("ALLOWED_HOSTS") == true)
        }
    }

    @Test func theProblemSaysWhatToSet() async throws {
        let detail = try await get("Ops.test:8000").json["detail"]?.string
        #expect(
            detail?.hasPrefix(
                "the Host header is Ops.test:8000, which is not an allowed name of this gateway. Allowed are "
            )
                == true
        )
        #expect(detail?.hasSuffix("; to allow this name, start the gateway with ALLOWED_HOSTS=ops.test") == true)
        #expect(detail?.contains("example") == false, "the response lists the allowed names")
    }

    @Test(arguments: ["evil.test", ""]) func probesAnswerUnderAnyName(_ host: String) async throws {
        for uri in ["/livez", "/readyz", "/readyz/"] {
            let answer = try await get(host, uri)
            #expect(answer.status == 200)
            // A page under a rebound name gets no further information.
            #expect(try answer.json == ["status": "UP"])
        }
        #expect(try await get("localhost", "/readyz").json["workers"] == 1)
        let down = try await ask(gateway(FakeScheduler()), .get, "/readyz", host: host, guardedBy: Self.own)
        #expect(down.status == 503)
        #expect(try down.json == ["status": "DOWN"])
    }

    @Test func theNameThatIsListenedOnIsAllowed() async throws {
        let configuration = GatewayConfiguration(listen: HostPort(host: "intern.example.com", port: 80))
        let own = OriginGuard(configuration, machineName: nil)
        #expect(
            try await ask(gateway(FakeScheduler()), .get, "/", host: "intern.example.com", guardedBy: own).status == 200
        )
        #expect(
            try await ask(gateway(FakeScheduler()), .get, "/", host: "box.example.net", guardedBy: own).status == 421
        )
    }

    // MARK: Origins

    struct Case: Sendable {
        var host: String? = "127.0.0.1:8000"
        var headers: [(String, String)]
        var peer: String? = "127.0.0.1"
        var isAllowed: Bool
    }

    static let cases: [Case] = [
        Case(headers: [], isAllowed: true),
        Case(headers: [("Origin", "http://127.0.0.1:8000")], isAllowed: true),
        Case(host: "LOCALHOST", headers: [("Origin", "http://localhost:80")], isAllowed: true),
        Case(host: "localhost:80", headers: [("Origin", "http://localhost")], isAllowed: true),
        Case(host: "[::1]:8000", headers: [("Origin", "http://[::1]:8000")], isAllowed: true),
        Case(headers: [("Origin", "https://carillon.example.com")], isAllowed: true),
        Case(headers: [("Origin", "https://carillon.example.com:443")], isAllowed: true),
        Case(headers: [("Sec-Fetch-Site", "same-origin")], isAllowed: true),
        Case(headers: [("Sec-Fetch-Site", "none")], isAllowed: true),
        Case(headers: [("Origin", "http://127.0.0.1:8000"), ("Sec-Fetch-Site", "same-origin")], isAllowed: true),
        // A different host, port or scheme is a different origin.
        Case(headers: [("Origin", "http://evil.test")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1:3000")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1")], isAllowed: false),
        Case(headers: [("Origin", "https://127.0.0.1:8000")], isAllowed: false),
        Case(headers: [("Origin", "http://localhost:8000")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1:8000.evil.test")], isAllowed: false),
        Case(headers: [("Origin", "http://carillon.example.com")], isAllowed: false),
        Case(headers: [("Origin", "https://gateway")], isAllowed: false),
        Case(headers: [("Origin", "null")], isAllowed: false), Case(headers: [("Origin", "")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1:8000/")], isAllowed: false),
        Case(headers: [("Origin", "chrome-extension://abcdefgh")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1:8000"), ("Origin", "http://evil.test")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1:8000, http://evil.test")], isAllowed: false),
        Case(host: nil, headers: [("Origin", "http://127.0.0.1:8000")], isAllowed: false),
        Case(headers: [("Sec-Fetch-Site", "cross-site")], isAllowed: false),
        Case(headers: [("Sec-Fetch-Site", "same-site")], isAllowed: false),
        Case(headers: [("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "none")], isAllowed: false),
        Case(headers: [("Sec-Fetch-Site", "")], isAllowed: false),
        Case(headers: [("Origin", "http://127.0.0.1:8000"), ("Sec-Fetch-Site", "cross-site")], isAllowed: false),
        Case(
            headers: [("Origin", "https://carillon.example.com"), ("Sec-Fetch-Site", "cross-site")],
            isAllowed: false
        ),
    ]

    @Test(arguments: cases) func changesComeFromOwnPagesOnly(_ given: Case) async throws {
        try await change(given)
    }

    private func change(_ given: Case) async throws {
        let changes: [(Method, String, String?)] = [
            (.post, "/api/v1/jobs", Self.body), (.put, "/api/v1/jobs/\(jobID)", #"{"priority": 1}"#),
            (.patch, "/api/v1/jobs/\(jobID)", #"{"priority": 1}"#), (.delete, "/api/v1/jobs/\(jobID)", nil),
            (.post, "/api/v1/jobs/\(jobID)/run", nil), (.post, "/api/v1/debug/refresh_schedule", nil),
        ]
        for (method, uri, body) in changes {
            let scheduler = FakeScheduler([
                "create_job": Examples.job, "update_job": Examples.job, "delete_job": ["job_id": .string(jobID)],
                "run_job": Examples.manualExecution, "refresh_schedule": ["status": "SCHEDULE_REFRESHED", "jobs": 1],
            ])
            let answer = try await ask(
                gateway(scheduler),
                method,
                uri,
                body,
                headers: fields(given.headers),
                host: given.host,
                peer: given.peer,
                guardedBy: Self.own
            )
            #expect((answer.status < 300) == given.isAllowed, "\(method) \(uri): \(answer.status) \(answer.text)")
            #expect(scheduler.calls.isEmpty != given.isAllowed)
            guard !given.isAllowed else { continue }
            #expect(answer.status == 403)
            #expect(try answer.json["code"] == "FOREIGN_ORIGIN")
        }
    }

    private func fields(_ headers: [(String, String)]) -> HTTPFields {
        HTTPFields(headers.compactMap { name, value in HTTPField.Name(name).map { HTTPField(name: $0, value: value) } })
    }

    @Test func theProblemSaysHowABrowserCanReachTheGateway() async throws {
        let answer = try await ask(
            gateway(FakeScheduler()),
            .post,
            "/api/v1/jobs",
            Self.body,
            headers: [.origin: "https://Ops.example.com"],
            host: "localhost:8000",
            guardedBy: OriginGuard(GatewayConfiguration())
        )
        let detail = try answer.json["detail"]?.string
        #expect(detail?.contains("Origin: https://Ops.example.com") == true)
        #expect(detail?.contains("sent to http://localhost:8000") == true)
        #expect(detail?.contains("PUBLIC_URL=https://ops.example.com") == true)
        #expect(detail?.contains("TRUSTED_PROXIES") == true)
    }

    /// Reads change nothing, and without CORS headers pages cannot read the responses.
    @Test(arguments: [Method.get, .head, .options]) func readsAreAnsweredWithoutCORS(_ method: Method) async throws {
        let headers = fields([
            ("Origin", "http://evil.test"), ("Sec-Fetch-Site", "cross-site"), ("Access-Control-Request-Method", "PUT"),
        ])
        let scheduler = FakeScheduler(["list_jobs": ["jobs": []]])
        let answer = try await ask(gateway(scheduler), method, "/api/v1/jobs", headers: headers, guardedBy: Self.own)
        #expect(answer.status == (method == .options ? 405 : 200))
        #expect(!answer.headers.contains { $0.name.canonicalName.hasPrefix("access-control-") })
    }

    // MARK: Proxies

    private static let forwarded = [
        ("Origin", "https://jobs.example.org"), ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "jobs.example.org"),
    ]

    static let proxied: [Case] = [
        Case(headers: forwarded, peer: "10.1.2.3", isAllowed: true),
        Case(headers: forwarded, peer: "::ffff:10.1.2.3", isAllowed: true),
        Case(headers: forwarded, peer: "fd00::7", isAllowed: true),
        Case(headers: forwarded, peer: "127.0.0.1", isAllowed: false),
        Case(headers: forwarded, peer: nil, isAllowed: false),
        Case(headers: forwarded, peer: "11.1.2.3", isAllowed: false),
        // The proxy passes Host unchanged and adds only the scheme.
        Case(
            host: "jobs.example.org",
            headers: [("Origin", "https://jobs.example.org"), ("X-Forwarded-Proto", "HTTPS")],
            peer: "10.1.2.3",
            isAllowed: true
        ),
        Case(
            host: "jobs.example.org",
            headers: [("Origin", "https://jobs.example.org"), ("X-Forwarded-Proto", "https")],
            peer: "192.0.2.1",
            isAllowed: false
        ),
        // With two proxies the first value is the host that the browser used.
        Case(
            headers: [
                ("Origin", "https://jobs.example.org"), ("X-Forwarded-Proto", "https, http"),
                ("X-Forwarded-Host", "jobs.example.org, gateway:8000"),
            ],
            peer: "10.1.2.3",
            isAllowed: true
        ),
        Case(
            headers: [
                ("Origin", "http://evil.test"), ("X-Forwarded-Proto", "http"), ("X-Forwarded-Host", "jobs.example.org"),
            ],
            peer: "10.1.2.3",
            isAllowed: false
        ),
    ]

    @Test(arguments: proxied) func onlyNamedProxiesAreBelieved(_ given: Case) async throws {
        try await change(given)
    }

    @Test(arguments: ["evil.test", "jobs.example.org, evil.test", "evil.test, jobs.example.org", "a b"])
    func everyForwardedHostMustBeAllowed(_ hosts: String) async throws {
        for peer in ["10.1.2.3", "192.0.2.1"] {
            let answer = try await ask(
                gateway(FakeScheduler(["list_jobs": ["jobs": []]])),
                .get,
                "/api/v1/jobs",
                headers: fields([("X-Forwarded-Host", hosts)]),
                peer: peer,
                guardedBy: Self.own
            )
            #expect(answer.status == (peer == "10.1.2.3" ? 421 : 200))
            guard answer.status == 421 else { continue }
            #expect(try answer.json["detail"]?.string?.hasPrefix("the X-Forwarded-Host header is ") == true)
        }
    }

    // MARK: Answers

    @Test func everyAnswerStaysWithItsOrigin() async throws {
        let scheduler = FakeScheduler(["get_cluster": Examples.cluster, "list_jobs": ["jobs": []]])
        for (uri, host) in [
            ("/", "localhost"), ("/docs", "localhost"), ("/health", "localhost"), ("/metrics", "localhost"),
            ("/livez", "evil.test"),
            ("/api/v1/jobs", "localhost"), ("/nope", "localhost"), ("/%zz", "localhost"), ("/api/v1/jobs", "evil.test"),
        ] {
            for accept in ["text/html", "*/*"] {
                let answer = try await ask(
                    gateway(scheduler),
                    .get,
                    uri,
                    headers: [.accept: accept],
                    host: host,
                    guardedBy: Self.own
                )
                #expect(answer.headers[.crossOriginResourcePolicy] == "same-origin")
                #expect(answer.headers[.xContentTypeOptions] == "nosniff")
                #expect(answer.headers[.frameOptions] == "DENY")
                let policy = answer.headers[.contentSecurityPolicy] ?? ""
                #expect(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "\(uri)")
                #expect(!policy.contains("unsafe"))
            }
        }
    }
}
