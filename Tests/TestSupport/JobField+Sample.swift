package import CarillonCore

extension JobField {
    /// A valid value that is not the default.
    package var sample: JobValue {
        switch kind {
        case .text: .text(JobField.sampleTexts[name] ?? "a text")
        case .word(_, let words): .text(words.last { JobValue.text($0) != defaultValue } ?? "")
        case .seconds(let range): .seconds(max(range.lowerBound, min(range.upperBound, 45)))
        case .integer(let range): .integer(max(range.lowerBound, min(range.upperBound, 7)))
        case .time: .time(Timestamp(milliseconds: name == "ends_at" ? 4_102_444_800_000 : 1_700_000_000_000))
        case .flag: .flag(defaultValue == JobValue.flag(false))
        case .list: .list(["one", "two"])
        case .map: .headers([HTTPHeader(name: "X-Sample", value: "1")])
        }
    }

    private static let sampleTexts = [
        "schedule": "0 0 1 * * *", "api_url": "http://127.0.0.1:2/sample", "time_zone": "Asia/Tokyo",
        "http_method": "PUT",
    ]
}
