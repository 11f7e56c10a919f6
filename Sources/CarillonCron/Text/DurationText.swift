/// Spans of time as people write them: `90s`, `5m`, `1h30m`, `2d`, `250ms`, and ISO 8601's `PT1H30M`, `P1D`, `P2W`.
public enum DurationText {
    /// About 31,700 years; a longer duration is certainly a mistake.
    private static let longest: Int64 = 1_000_000_000_000_000

    /// Milliseconds, or `nil` where the text is not a duration.
    ///
    /// Short form: whole numbers with `w`, `d`, `h`, `m`, `s` or `ms`, the larger unit first and each at most once. ISO 8601:
    /// weeks, days, hours, minutes and seconds, the last of them with up to three decimals; years and months are refused because
    /// they have no fixed length. A day is 24 hours. Durations are never negative.
    public static func parse(_ text: String) -> Int64? {
        var text = text
        return text.withUTF8 { bytes in
            var scanner = ByteScanner(bytes)
            return scanner.skip("P") ? parseISO8601(&scanner) : parseShort(&scanner)
        }
    }

    /// The short form of a duration, such as `1h30m`; zero is `0s`. `parse` reads it back to the same value.
    ///
    /// - Parameter milliseconds: Not negative.
    public static func format(milliseconds: Int64) -> String {
        var rest = max(0, milliseconds)
        if rest == 0 { return "0s" }
        var text = ""
        for (unit, length) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)]
            as [(String, Int64)]
        where rest >= length {
            text += "\(rest / length)\(unit)"
            rest %= length
        }
        return text
    }

    private static func parseShort(_ scanner: inout ByteScanner) -> Int64? {
        var total: Int64 = 0
        var smallest = Int64.max
        repeat {
            guard let count = scanner.number() else { return nil }
            let length: Int64
            if scanner.skip("w") {
                length = 604_800_000
            } else if scanner.skip("d") {
                length = 86_400_000
            } else if scanner.skip("h") {
                length = 3_600_000
            } else if scanner.skip("m") {
                length = scanner.skip("s") ? 1 : 60_000
            } else if scanner.skip("s") {
                length = 1_000
            } else {
                return nil
            }
            guard length < smallest, add(count, length, to: &total) else { return nil }
            smallest = length
        } while !scanner.isAtEnd
        return total
    }

    private static func parseISO8601(_ scanner: inout ByteScanner) -> Int64? {
        var total: Int64 = 0
        var smallest = Int64.max
        var isTime = false
        while !scanner.isAtEnd {
            if !isTime, scanner.skip("T") {
                isTime = true
                guard !scanner.isAtEnd else { return nil }
            }
            guard let count = scanner.number() else { return nil }
            var thousandths: Int64 = 0
            var hasFraction = false
            if scanner.skip(".") || scanner.skip(",") {
                hasFraction = true
                var scale: Int64 = 1_000
                while scale > 1, let digit = scanner.digits(1) {
                    scale /= 10
                    thousandths += Int64(digit) * scale
                }
                guard scale < 1_000 else { return nil }
            }
            let length: Int64
            if !isTime, scanner.skip("W") {
                length = 604_800_000
            } else if !isTime, scanner.skip("D") {
                length = 86_400_000
            } else if isTime, scanner.skip("H") {
                length = 3_600_000
            } else if isTime, scanner.skip("M") {
                length = 60_000
            } else if isTime, scanner.skip("S") {
                length = 1_000
            } else {
                return nil
            }
            guard length < smallest, !hasFraction || length == 1_000, add(count, length, to: &total) else { return nil }
            total += thousandths
            smallest = length
        }
        return smallest == .max ? nil : total
    }

    private static func add(_ count: Int64, _ length: Int64, to total: inout Int64) -> Bool {
        guard count <= longest / length else { return false }
        total += count * length
        return total <= longest
    }
}
