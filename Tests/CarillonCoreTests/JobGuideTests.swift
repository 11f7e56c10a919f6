import CarillonCore
import Glibc
import Testing

/// The article about job settings is generated from the catalogue: `CARILLON_WRITE_GUIDE=1 swift test --filter
/// JobGuideTests` writes it.
@Suite("The guide to the settings of a job")
struct JobGuideTests {
    // Tests/CarillonCoreTests/JobGuideTests.swift → the package's root.
    private static let path =
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
        + "/Sources/CarillonCore/CarillonCore.docc/JobSettings.md"

    private static let text: String = {
        var lines = [
            "# Settings of a job", "",
            "The settings of a job, with their names in REST and in the protocol. `carillon job create --help` has the options.",
            "",
            "| setting | default | allowed | |", "|---|---|---|---|",
        ]
        for field in JobField.all {
            var remarks = [field.summary]
            if field.restartsSchedule { remarks.append("A change restarts the schedule.") }
            lines.append(
                "| `\(field.name)` | \(field.defaultText) | \(field.limitsText) | \(remarks.joined(separator: " ")) |"
            )
        }
        lines += [
            "",
            "The call that a worker gets depends on "
                + JobField.all.filter(\.isSentToWorker).map { "`\($0.name)`" }.joined(separator: ", ") + ".",
            "",
            "In a change, null resets a setting to its default. The defaults of `timeout_seconds`, `max_retries` and",
            "`catch_up_window_seconds` come from the scheduler's configuration.", "",
        ]
        return lines.joined(separator: "\n")
    }()

    private static func read() -> String? {
        guard let file = fopen(path, "r") else { return nil }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = fread(&buffer, 1, buffer.count, file)
        return String(decoding: buffer[..<count], as: UTF8.self)
    }

    @Test("the article matches the catalogue")
    func article() throws {
        if getenv("CARILLON_WRITE_GUIDE") != nil {
            let file = try #require(fopen(Self.path, "w"))
            fputs(Self.text, file)
            fclose(file)
        }
        #expect(Self.read() == Self.text, "regenerate the article with CARILLON_WRITE_GUIDE=1")
    }
}

extension JobField {
    fileprivate var defaultText: String {
        guard !isRequired else { return "required" }
        return switch defaultValue {
        case nil: "null"
        case .text(let text): "`\(text)`"
        case .integer(let number): "\(number)"
        case .seconds(let seconds): JobField.text(seconds)
        case .time(let time): "\(time.milliseconds)"
        case .flag(let flag): "\(flag)"
        case .list: "`[]`"
        case .headers: "`{}`"
        }
    }

    fileprivate var limitsText: String {
        switch kind {
        case .text(let limits): limits.bytes.map { "\($0.text) bytes" } ?? ""
        case .word(_, let words): words.map { "`\($0)`" }.joined(separator: ", ")
        case .seconds(let range): "\(JobField.text(range.lowerBound)) to \(JobField.text(range.upperBound))"
        case .integer(let range): range.text
        case .time: "a time with its offset (RFC 3339)"
        case .flag: "true, false"
        case .list(let limits): "at most \(limits.maxCount), of \(limits.bytes.text) bytes"
        case .map: "names and values"
        }
    }
}

extension ClosedRange<Int> {
    fileprivate var text: String { lowerBound == 0 ? "at most \(upperBound)" : "\(lowerBound) to \(upperBound)" }
}
