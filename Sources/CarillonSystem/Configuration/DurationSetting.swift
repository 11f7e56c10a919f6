internal import CarillonCron

/// Durations in settings and options.
package enum DurationSetting {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The forms of `DurationText` (`1h30m`, `PT5M`), or a decimal number with a unit (`1.5s`) or without (seconds). `nil` for an
    /// invalid text, and for a fraction of a millisecond.
    package static func milliseconds(_ text: String) -> Int64? {
        DurationText.parse(text) ?? decimal(text)
    }

    private static func decimal(_ text: String) -> Int64? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text[digits.endIndex...]
        guard let scale = unit.isEmpty ? 1000 : units.first(where: { $0.name == unit })?.milliseconds else {
            return nil
        }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ (1...12).contains($0.count) }) else { return nil }
        guard let whole = Int64(parts[0]) else { return nil }
        var result = whole.multipliedReportingOverflow(by: scale)
        guard !result.overflow else { return nil }
        if parts.count == 2 {
            guard parts[1].count <= 6, let fraction = Int64(parts[1]) else { return nil }
            let divisor = (0..<parts[1].count).reduce(Int64(1)) { power, _ in power * 10 }
            guard (fraction * scale).isMultiple(of: divisor) else { return nil }
            result = result.partialValue.addingReportingOverflow(fraction * scale / divisor)
        }
        return result.overflow ? nil : result.partialValue
    }

    /// The duration in the largest unit that gives a whole number: `500ms`, `90s`, `1m`.
    static func text(_ milliseconds: Int) -> String {
        guard milliseconds != 0 else { return "0s" }
        for unit in units where Int64(milliseconds).isMultiple(of: unit.milliseconds) {
            return "\(Int64(milliseconds) / unit.milliseconds)\(unit.name)"
        }
        return "\(milliseconds)ms"
    }
}
