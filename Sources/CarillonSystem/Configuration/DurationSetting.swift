/// Durations as people write them in settings.
enum DurationSetting {
    private static let units: [(name: String, milliseconds: Int)] = [
        ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// A number, with a fraction if need be, and a unit; without one it is seconds. `nil` when the text is neither, or is
    /// not a whole number of milliseconds.
    static func milliseconds(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text[digits.endIndex...]
        guard let scale = unit.isEmpty ? 1000 : units.first(where: { $0.name == unit })?.milliseconds else {
            return nil
        }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ (1...12).contains($0.count) }) else { return nil }
        guard let whole = Int(parts[0]) else { return nil }
        var result = whole.multipliedReportingOverflow(by: scale)
        guard !result.overflow else { return nil }
        if parts.count == 2 {
            guard parts[1].count <= 6, let fraction = Int(parts[1]) else { return nil }
            let divisor = (0..<parts[1].count).reduce(1) { power, _ in power * 10 }
            guard (fraction * scale).isMultiple(of: divisor) else { return nil }
            result = result.partialValue.addingReportingOverflow(fraction * scale / divisor)
        }
        return result.overflow ? nil : result.partialValue
    }

    /// The largest unit that gives a whole number: `500ms`, `90s`, `1m`.
    static func text(_ milliseconds: Int) -> String {
        guard milliseconds != 0 else { return "0s" }
        for unit in units where milliseconds.isMultiple(of: unit.milliseconds) {
            return "\(milliseconds / unit.milliseconds)\(unit.name)"
        }
        return "\(milliseconds)ms"
    }
}

/// Sizes as people write them in settings.
enum ByteSetting {
    private static let units: [(name: String, bytes: Int)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

    static func bytes(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text[digits.endIndex...].lowercased()
        guard (1...12).contains(digits.count), let count = Int(digits) else { return nil }
        if unit.isEmpty || unit == "b" { return count }
        for known in units where unit == known.name.lowercased() || unit == known.name.prefix(1).lowercased() {
            let (bytes, isTooMuch) = count.multipliedReportingOverflow(by: known.bytes)
            return isTooMuch ? nil : bytes
        }
        return nil
    }

    static func text(_ bytes: Int) -> String {
        for unit in units where bytes > 0 && bytes.isMultiple(of: unit.bytes) {
            return "\(bytes / unit.bytes)\(unit.name)"
        }
        return "\(bytes)"
    }
}
