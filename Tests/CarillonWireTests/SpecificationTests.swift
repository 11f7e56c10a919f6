import CarillonCore
import CarillonJSON
import CarillonWire
import Glibc
import Testing

/// `proto/README.md` is the specification for third-party implementations: it must be correct and complete.
@Suite struct SpecificationTests {
    private static func read(_ name: String) throws -> String {
        // Tests/CarillonWireTests/SpecificationTests.swift → the package's root.
        let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        let file = try #require(fopen("\(root)/proto/\(name)", "r"))
        defer { fclose(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = fread(&buffer, 1, buffer.count, file)
            guard count > 0 else { break }
            bytes += buffer[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The bytes of the code block with the heading "```hex name".
    private static func example(_ name: String) throws -> [UInt8] {
        let lines = try read("README.md").split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0 == "```hex \(name)" })
        let end = try #require(lines[(start + 1)...].firstIndex { $0 == "```" })
        return lines[(start + 1)..<end].flatMap { line in
            line.prefix { $0 != ";" }.split(separator: " ").compactMap { UInt8($0, radix: 16) }
        }
    }

    private static let job = JobID(UniqueID(high: 0x0191_E0A0_1234_7ABC, low: 0x8DEF_0123_4567_89AB))

    private static let examples: [(name: String, envelope: Envelope)] = [
        (
            "hello",
            Envelope(
                .hello(
                    Hello(
                        role: .client,
                        name: "docs",
                        bootID: UniqueID(high: 0x0001_0203_0405_0607, low: 0x0809_0A0B_0C0D_0E0F),
                        version: "1.0"
                    )
                )
            )
        ),
        (
            "welcome",
            Envelope(
                .welcome(
                    Welcome(
                        serverID: UniqueID(high: 0xF0F1_F2F3_F4F5_F6F7, low: 0xF8F9_FAFB_FCFD_FEFF),
                        leading: false,
                        epoch: nil,
                        shards: [],
                        heartbeatMs: 2_000,
                        maxFrameBytes: 4_194_304,
                        serverTime: Timestamp(seconds: 1_700_000_000),
                        version: "1.0",
                        leaderAddress: "10.0.0.2:7070"
                    )
                )
            )
        ),
        ("get_job", Envelope(id: 1, .request(.getJob(job)))),
        ("error", Envelope(id: 1, .error(ClientError(.notFound, "there is no such job")))),
    ]

    @Test(arguments: 0..<4) func theExampleIsWhatTheCodecWrites(index: Int) throws {
        let (name, envelope) = SpecificationTests.examples[index]
        let bytes = try SpecificationTests.example(name)
        #expect(MessageCodec.frame(of: envelope) == bytes)
        var decoded: [Envelope] = []
        var decoder = FrameDecoder()
        try decoder.feed(bytes) { (payload) throws(WireError) in
            decoded.append(try MessageCodec().decode(payload: payload))
        }
        #expect(decoded == [envelope])
    }

    @Test func everyMessageAndEveryFieldOfARequestIsMentioned() throws {
        let text = try SpecificationTests.read("README.md")
        let source = try SpecificationTests.read("carillon.proto")
        for line in source.split(separator: "\n") where line.hasPrefix("message ") {
            let name = line.split(separator: " ")[1]
            let isPart = ["Envelope", "FieldError", "Header", "JobSettings", "Attempt", "PreviewedTime"].contains(name)
            #expect(isPart || text.contains(name), "\(name)")
        }
        for name in MessageJSON.requestNames {
            let settings = Set(MessageJSON.describe("create_job")?.map(\.field) ?? [])
            for field in MessageJSON.describe(name) ?? [] where !settings.contains(field.field) {
                #expect(text.contains("`\(field.field)`"), "\(name).\(field.field)")
            }
        }
        for code in ClientError.Code.allCases { #expect(text.contains("`\(code.rawValue)`")) }
        for reason in ClientError.Reason.allCases { #expect(text.contains("`\(reason.rawValue)`")) }
        for reason in Reason.allCases { #expect(text.contains("`\(reason.rawValue)`")) }
        for field in MessageJSON.describe("create_job") ?? [] { #expect(text.contains("`\(field.field)`")) }
    }

    @Test func `every field and value between scheduler and worker is documented`() throws {
        let text = try SpecificationTests.read("README.md")
        let lines = try SpecificationTests.read("carillon.proto").split(separator: "\n")
        let start = try #require(lines.firstIndex { $0.hasPrefix("message Hello") })
        let end = try #require(lines.firstIndex { $0.hasPrefix("enum ExecutionType") })
        var count = 0
        for line in lines[start..<end] where line.hasSuffix(";") && !line.contains("//") {
            let words = line.split(separator: " ")
            guard let equals = words.firstIndex(of: "="), equals > 0 else { continue }
            let name = words[equals - 1].replacing("ERROR_CODE_", with: "").replacing("ROLE_CLIENT", with: "client")
            count += 1
            #expect(text.contains(name), "\(line)")
        }
        #expect(count > 100)
    }
}
