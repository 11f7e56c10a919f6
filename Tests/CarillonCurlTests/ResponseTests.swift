import CarillonCore
import CarillonCurl
import Testing

@testable import CarillonCurl

/// The kept part of a response's content.
@Suite("Responses")
struct ResponseTests {
    private static let greeting = "Grüße, Grüße, Grüße, Ende"
    private static let encoded = [
        (
            "gzip", "1f8b0800000000000203732f3abce7f0fc541d05770c866b5e4a2a002ae902f71f000000"
        ), ("x-gzip", "1f8b0800000000000203732f3abce7f0fc541d05770c866b5e4a2a002ae902f71f000000"),
        ("GZip, identity", "1f8b0800000000000203732f3abce7f0fc541d05770c866b5e4a2a002ae902f71f000000"),
        ("deflate", "789c732f3abce7f0fc541d05770c866b5e4a2a00f2510e5e"),
        ("deflate", "732f3abce7f0fc541d05770c866b5e4a2a00"),
        ("br", "1b1e0000442747faf945bf48ba06a14492bd44d92798a9cde74cd0b401"),
        ("zstd", "28b52ffd04589d0000684772c3bcc39f652c20456e64650100f4ca11df7a3955"),
        (
            "br, gzip",
            "1f8b080000000000020393966360705177fff5d375bfc72eb6852e93f6badc549fb1f2ec739f0b5b1801558f6a6f1d000000"
        ),
    ]

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }

    private func text(
        _ bytes: [UInt8],
        type: String? = nil,
        coding: String = "",
        isCut: Bool = false,
        limit: Int = 4_096
    ) -> String {
        let codings = ResponseText.codings(coding)
        return ResponseText(bytes: bytes, isCut: isCut, type: ContentType(type), codings: codings, limit: limit).text
    }

    private func answer(_ headers: String, _ body: [UInt8]) -> [UInt8] {
        Array("HTTP/1.1 200 OK\r\n\(headers)\r\nContent-Length: \(body.count)\r\n\r\n".utf8) + body
    }

    // MARK: Codings

    @Test("compressed content is kept decompressed", arguments: encoded)
    func decoded(coding: String, hexadecimal: String) async throws {
        let body = Self.bytes(hexadecimal)
        #expect(text(body, coding: coding) == Self.greeting)
        #expect(text(body, coding: coding, limit: 4) == "Grü")
        let target = try await RawTarget.start(bytes: answer("Content-Encoding: \(coding)", body))
        let bench = CallerBench()
        let result = await bench.call(bench.request("http://127.0.0.1:\(target.port)/"))
        #expect(result.kind == .answered)
        #expect(result.response == Self.greeting)
        try await target.stop()
    }

    @Test(
        "the start of compressed content is decoded",
        arguments: encoded.filter { !$0.0.contains("br") && $0.0 != "zstd" }
    )
    func beginning(coding: String, hexadecimal: String) {
        let body = Self.bytes(hexadecimal)
        let text = text(Array(body.dropLast(body.count / 3)), coding: coding, isCut: true)
        #expect(!text.isEmpty && Self.greeting.hasPrefix(text), "\(text)")
    }

    @Test("content without its declared coding is kept in base64, and does not change the result of the call")
    func corrupt() async throws {
        let body: [UInt8] = [0xFF, 0xFE, 0x00, 0x01]
        for coding in ["gzip", "deflate", "br", "zstd", "compress", "gzip, unknown"] {
            let target = try await RawTarget.start(
                bytes: answer("Content-Type: application/json\r\nContent-Encoding: \(coding)", body)
            )
            let bench = CallerBench()
            let result = await bench.call(bench.request("http://127.0.0.1:\(target.port)/"))
            #expect(result.kind == .answered)
            #expect(result.httpStatus == 200)
            let name = coding.filter { $0 != " " }
            #expect(result.response == "data:application/json;content-encoding=\(name);base64,//4AAQ==")
            try await target.stop()
        }
        #expect(text(Array("plain".utf8), coding: "utf-8") == "plain")
    }

    /// 32 KiB that decompress to a GiB: blocks of one repeated byte.
    private static var bomb: [UInt8] {
        let (magic, head) = ([UInt8]([0x28, 0xB5, 0x2F, 0xFD]), [UInt8]([0x00, 0x38]))
        let size = 128 << 10
        let blocks = (0..<8_192).flatMap { number -> [UInt8] in
            let header = (number == 8_191 ? 1 : 0) | 1 << 1 | size << 3
            return [UInt8(header & 0xFF), UInt8(header >> 8 & 0xFF), UInt8(header >> 16), UInt8(ascii: "x")]
        }
        return magic + head + blocks
    }

    @Test("a decompression bomb costs only its kept part, and the result is the same", arguments: [0, 100, 4_096])
    func bombs(limit: Int) async throws {
        let bomb = Self.bomb
        let decoded = ContentCoding.zstd.decode(bomb, limit: limit)
        #expect(decoded.bytes.count == limit)
        #expect(decoded.bytes.capacity <= 2 * limit + 64)
        let target = try await RawTarget.start(bytes: answer("Content-Encoding: zstd", bomb))
        let bench = CallerBench()
        let result = await bench.call(bench.request("http://127.0.0.1:\(target.port)/", responseLimit: limit))
        #expect(result.kind == .answered)
        #expect(result.response == String(repeating: "x", count: limit))
        try await target.stop()
    }

    @Test("compressed responses are requested only by a job's Accept-Encoding")
    func accepted() async throws {
        let (server, bench) = (try await TargetServer.start(), CallerBench())
        _ = await bench.call(bench.request("\(server.url)/answer/200"))
        let header = HTTPHeader(name: "Accept-Encoding", value: "gzip")
        _ = await bench.call(bench.request("\(server.url)/answer/200", headers: [header]))
        #expect(server.requests.map { $0.values("Accept-Encoding") } == [[], ["gzip"]])
        await server.stop()
    }

    // MARK: Text

    @Test(
        "text is converted to valid UTF-8 without NUL, within the limit",
        arguments: [
            ("61fffe62", 4_096, "a\u{FFFD}\u{FFFD}b"), ("610062", 4_096, "a\u{FFFD}b"), ("61c3a4c3a4", 4, "aä"),
            ("ffffff", 3, "\u{FFFD}"), ("f09f98", 4_096, "\u{FFFD}"), ("f09f9880", 3, ""), ("", 4_096, ""),
            ("61", 0, ""),
        ]
    )
    func repaired(hexadecimal: String, limit: Int, expected: String) {
        let bytes = Self.bytes(hexadecimal)
        let isCut = bytes.count > limit
        #expect(text(Array(bytes.prefix(limit)), type: "text/plain", isCut: isCut, limit: limit) == expected)
    }

    @Test(
        "the charset of a response is used",
        arguments: [
            ("text/plain; charset=iso-8859-1", "47fc80", "Gü€"),
            ("text/html;charset=\"Windows-1252\"", "93fc94", "“ü”"),
            ("text/plain; charset=utf-16le", "41003d d800de", "A😀"), ("text/plain; charset=UTF-16BE", "00410042", "AB"),
            ("text/plain; charset=shift_jis", "93fa967b", "日本"), ("application/json; charset=koi8-r", "d0d2", "пр"),
            ("text/plain; charset=iso-8859-15", "a4", "€"), ("text/plain; charset=us-ascii", "c3bc", "ü"),
            ("text/plain; charset=windows-1252", "4181", "A\u{FFFD}"), ("text/plain; charset=nonsense", "c3bc", "ü"),
            ("text/plain; charset=nonsense", "fc", "data:text/plain;base64,/A=="),
        ]
    )
    func charsets(type: String, hexadecimal: String, expected: String) {
        #expect(text(Self.bytes(hexadecimal.filter { $0 != " " }), type: type) == expected)
    }

    @Test("an incomplete character is dropped in every charset")
    func cutCharsets() {
        #expect(text(Self.bytes("93fa96"), type: "text/plain; charset=shift_jis", isCut: true) == "日")
        #expect(text(Self.bytes("410042"), type: "text/plain; charset=utf-16le", isCut: true) == "A")
        #expect(text(Self.bytes("61c3"), isCut: true) == "a")
    }

    // MARK: Base64

    @Test(
        "binary content is kept as a data URL in base64",
        arguments: [
            ("image/png", "89504e470d0a1a0a", "data:image/png;base64,iVBORw0KGgo="), (nil, "00", "data:;base64,AA=="),
            (nil, "ff", "data:;base64,/w=="),
            ("application/octet-stream", "0a0568656c6c6f", "data:application/octet-stream;base64,CgVoZWxsbw=="),
            ("application/octet-stream", "c3bc0a", "ü\n"), (nil, "7b7d", "{}"),
            ("text/<b>, nonsense", "ff", "data:;base64,/w=="),
        ]
    )
    func binary(type: String?, hexadecimal: String, expected: String) {
        #expect(text(Self.bytes(hexadecimal), type: type) == expected)
    }

    @Test("base64 stays within the limit and is always complete", arguments: 0..<60)
    func base64Limit(limit: Int) {
        let kept = text(Array(repeating: 0, count: 100), type: "image/png", limit: limit)
        #expect(kept.utf8.count <= limit)
        #expect(kept.isEmpty == (limit < 17))
        #expect(kept.isEmpty || kept.split(separator: ",")[1].utf8.count % 4 == 0)
    }

    @Test("text that looks like a data URL is kept in base64")
    func ambiguous() {
        #expect(text(Array("data:;base64,AA==".utf8)) == "data:;base64,ZGF0YTo7YmFzZTY0LEFBPT0=")
        #expect(text(Array("data: {}\n\n".utf8), type: "text/event-stream") == "data: {}\n\n")
    }
}
