/// Sizes in settings.
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
