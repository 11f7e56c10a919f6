import CCurl
import CarillonCore
import CarillonCurl
import Glibc
import TestSupport
import Testing

/// The rules for a job's URL must agree with libcurl's parser: a URL that the parser refuses fails at each call.
@Suite("URLs and libcurl's parser")
struct URLParserTests {
    /// Parses a URL as `curl_easy_perform` does.
    private static func isParsed(_ url: String) -> Bool {
        let handle = curl_url()
        defer { curl_url_cleanup(handle) }
        let flags = UInt32(CURLU_GUESS_SCHEME) | UInt32(CURLU_NON_SUPPORT_SCHEME)
        return curl_url_set(handle, CURLUPART_URL, url, flags) == CURLUE_OK
    }

    /// Converts a host name to ASCII as libcurl does, with libidn2.
    private static func isConverted(_ host: String) -> Bool {
        typealias Lookup =
            @convention(c) (UnsafePointer<UInt8>, UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>, Int32) -> Int32
        let lookup = unsafeBitCast(dlsym(nil, "idn2_lookup_u8"), to: Lookup.self)
        let (normalized, transitional, nontransitional): (Int32, Int32, Int32) = (1, 4, 8)
        let bytes = Array(host.utf8) + [0]
        for flags in [normalized | nontransitional, transitional] {
            var result: UnsafeMutablePointer<UInt8>?
            defer { free(result) }
            if lookup(bytes, &result, flags) == 0 { return true }
        }
        return false
    }

    @Test("the parser accepts every URL that the rules accept", arguments: [UInt64(1), 2, 3])
    func accepted(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let parts = [
            "a", "b1", "-", ".", "..", "%41", "%00", "%20", "%2f", "%40", "%c3%bc", "ü", "[", "]", "::", ":", "1",
            "0x7f", "08",
            "256", "~", "_", "!", "+", "&", "(", "=", ";", ",", "$", "'", "*", "{", "\\", "^", "`", "|", "xn--", "@",
            "/", "?",
            "#", "65536", "example", "。", "l·l",
        ]
        var count = 0
        for _ in 0..<5_000 {
            let host = (0..<Int.random(in: 1...5, using: &random)).map { _ in parts.randomElement(using: &random) ?? ""
            }
            let url =
                "http://" + host.joined() + ["", "/x/../y?z=%20#f", ":80/"][Int.random(in: 0...2, using: &random)]
            guard URLRule.problem(with: url) == nil else { continue }
            count += 1
            #expect(Self.isParsed(url), "\(url)")
        }
        #expect(count > 100)
    }

    @Test("every character allowed in a host is converted to ASCII")
    func characters() {
        var count = 0
        // Later planes contain only unassigned, invisible or private characters.
        // One in sixteen ideographs and syllables is tested.
        for value in UInt32(0x80)..<0x33000 where value < 0x3400 || value % 16 == 0 || 0xF900..<0x10000 ~= value {
            guard let scalar = Unicode.Scalar(value) else { continue }
            let host = "a\(scalar)a"
            guard URLRule.problem(with: "http://\(host).example/") == nil else { continue }
            count += 1
            if !Self.isConverted(host) { Issue.record("U+\(String(value, radix: 16)) is not converted") }
        }
        #expect(count > 10_000)
    }

    @Test(
        "the rules refuse every URL that the parser refuses",
        arguments: [
            "http://[1::2::3]/", "http://a%00b/", "http://a%20b/", "http://a%2fb/", "http://a%40b/", "http://a b/",
            "http://",
            "http://a:65536/", "http://a:8x/", "http://[::1/", "http://[::1]x/", "http://[zz]/", "http://a(b/",
            "http://a+b/",
        ]
    )
    func refused(url: String) {
        #expect(!Self.isParsed(url))
        #expect(URLRule.problem(with: url) != nil)
    }

    @Test("a host in another script is called by its ASCII form", arguments: ["bücher", "b%C3%BCcher", "BÜCHER"])
    func punycode(name: String) async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        // libcurl resolves names under localhost to loopback itself.
        let url = "http://\(name).localhost:\(server.port)/answer/200"
        #expect(URLRule.problem(with: url) == nil)
        let result = await bench.call(bench.request(url))
        #expect(result.httpStatus == 200, "\(result.errorMessage ?? "")")
        #expect(server.requests.first?.values("host") == ["xn--bcher-kva.localhost:\(server.port)"])
        await server.stop()
    }
}
