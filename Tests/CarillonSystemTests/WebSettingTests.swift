import Testing

@testable import CarillonSystem

/// Names, addresses and origins in settings and headers.
struct WebSettingTests {
    private let empty = EnvironmentVariables([:])

    private func message(_ read: () throws -> some Any) -> String {
        do {
            _ = try read()
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    // MARK: Settings

    @Test(arguments: [
        ("https://carillon.example.com", "https://carillon.example.com"),
        ("HTTP://A.example:8080/", "http://a.example:8080"),
        ("https://a:443", "https://a"), ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://10.0.0.1", "http://10.0.0.1"),
    ])
    func anOriginIsRead(_ text: String, _ origin: String) throws {
        let environment = EnvironmentVariables(["PUBLIC_URL": text])
        #expect(try Setting.origin("PUBLIC_URL", flag: nil, environment: environment)?.description == origin)
        #expect(try Setting.origin("PUBLIC_URL", flag: nil, environment: empty) == nil)
    }

    @Test(arguments: [
        "carillon.example.com", "ftp://a", "https://", "https://a/b", "https://a?b", "https://a:x",
        "https://a:70000",
        "https://a//", "/",
    ])
    func anotherTextIsNoOrigin(_ text: String) {
        #expect(
            message { try Setting.origin("PUBLIC_URL", flag: text, environment: empty) }
                == "PUBLIC_URL (--public-url) is \(text); allowed is http://HOST[:PORT] or https://HOST[:PORT] without a path, "
                + "such as https://carillon.example.com"
        )
    }

    @Test func hostNamesAreAList() throws {
        let environment = EnvironmentVariables(["ALLOWED_HOSTS": "gateway, Jobs.Example.org.,10.0.0.1"])
        let names = try Setting.hostNames("ALLOWED_HOSTS", flag: nil, environment: environment)
        #expect(names == ["gateway", "jobs.example.org", "10.0.0.1"])
        #expect(try Setting.hostNames("ALLOWED_HOSTS", flag: nil, environment: empty) == [])
        for text in ["a:8000", "http://a", "*", "*.example.com", "a,,b", ",", "a b", "[::1]", "a:", ".a", "a/b"] {
            let shown = text.contains(" ") ? "\"\(text)\"" : text
            #expect(
                message { try Setting.hostNames("ALLOWED_HOSTS", flag: text, environment: empty) }
                    == "ALLOWED_HOSTS (--allowed-hosts) is \(shown); allowed is NAME[,NAME…] without scheme and port, such as "
                    + "carillon.example.com"
            )
        }
    }

    @Test func addressRangesAreAList() throws {
        let environment = EnvironmentVariables(["TRUSTED_PROXIES": "10.0.0.0/8, 127.0.0.1,fd00::/8"])
        #expect(try Setting.addressRanges("TRUSTED_PROXIES", flag: nil, environment: environment).count == 3)
        #expect(try Setting.addressRanges("TRUSTED_PROXIES", flag: nil, environment: empty) == [])
        for text in [
            "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0/8", "a", "::1/129", "1.2.3.4,", "::ffff:1.2.3.4/96",
            "/8",
        ] {
            #expect(
                message { try Setting.addressRanges("TRUSTED_PROXIES", flag: text, environment: empty) }
                    == "TRUSTED_PROXIES (--trusted-proxies) is \(text); allowed is ADDRESS[/BITS][,ADDRESS[/BITS]…], such as "
                    + "10.0.0.0/8 or ::1"
            )
        }
    }

    // MARK: Values

    @Test(arguments: [
        ("10.0.0.0/8", "10.255.1.2", true), ("10.0.0.0/8", "11.0.0.0", false), ("10.1.2.3/8", "10.0.0.1", true),
        ("10.0.0.0/8", "::ffff:10.0.0.1", true), ("::ffff:10.0.0.1", "10.0.0.1", true),
        ("0.0.0.0/0", "255.1.2.3", true),
        ("0.0.0.0/0", "::1", false), ("::/0", "10.0.0.1", false), ("::/0", "fe80::1", true), ("::1", "::1", true),
        ("::1", "::2", false), ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
        ("192.0.2.1", "192.0.2.1", true),
        ("192.0.2.1", "192.0.2.2", false), ("192.0.2.1/32", "192.0.2.0", false),
        ("192.0.2.128/25", "192.0.2.127", false),
    ])
    func aRangeContains(_ range: String, _ address: String, _ isInside: Bool) throws {
        let range = try #require(AddressRange(range)), address = try #require(IPAddress(address))
        #expect(range.contains(address) == isInside)
    }

    @Test(arguments: [
        "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "0x7f.1.1.1", "", "::g", ":::", "1::2::3", "fe80::1%lo", "[::1]",
    ])
    func anotherTextIsNoAddress(_ text: String) {
        #expect(IPAddress(text) == nil)
    }

    @Test(arguments: [
        ("A.example:80", "a.example:80", false), ("a.", "a.", false), ("127.0.0.1:1", "127.0.0.1:1", true),
        ("[0:0:0:0:0:0:0:1]:8000", "[::1]:8000", true), ("[fe80::1%25eth0]", "[fe80::1]", true), ("a:", "a", false),
        ("127.1", "127.1", false),
    ])
    func anAuthorityIsRead(_ text: String, _ shown: String, _ isAddress: Bool) throws {
        let authority = try #require(WebAuthority(text))
        #expect(authority.description == shown)
        #expect(authority.isAddress == isAddress)
    }

    @Test func originsAreComparedAsBrowsersDo() {
        #expect(WebOrigin("http://a") == WebOrigin("HTTP://A:80"))
        #expect(WebOrigin("https://a") != WebOrigin("http://a"))
        #expect(WebOrigin("https://a:80") != WebOrigin("http://a:80"))
        #expect(WebOrigin("http://[::1]") == WebOrigin("http://[0::1]:80"))
        #expect(WebOrigin("null") == nil)
    }
}
