/// Advice for texts that are not valid names of time zones, or that are not accepted.
public enum ZoneNameAdvice {
    /// The reason why a name is not accepted although a file with this name may exist: its meaning depends on the machine, or it is another
    /// copy of the data. `nil` for other names.
    public static func refusal(of name: String) -> String? {
        let lower = name.lowercased()
        if ["localtime", "posixrules", "local", "system"].contains(lower) {
            return
                "\"\(name)\" is the zone of the machine, so that each machine would mean another one; write the zone's name, such as Europe/Berlin"
        }
        if lower == "factory" {
            return
                "\"\(name)\" is a placeholder for a zone that nobody has set; write the zone's name, such as Europe/Berlin"
        }
        for prefix in ["posix/", "right/"] where lower.hasPrefix(prefix) {
            let rest = name.dropFirst(prefix.count)
            let copy =
                prefix == "right/" ? "counts leap seconds" : "is another copy of the data, which not every machine has"
            return "\"\(name)\" \(copy); write \(rest.isEmpty ? "the name without \(prefix)" : String(rest))"
        }
        return nil
    }

    /// The error for a name without a zone, and its probable meaning.
    ///
    /// - Returns: A sentence without its full stop, and the proposed names of zones; `nil` without advice.
    public static func advice(for name: String) -> (text: String, zones: [String])? {
        if let fixed = FixedOffset(name) { return fixed.advice }
        let upper = name.uppercased()
        if let known = ZoneAbbreviation.all[upper] {
            let others = known.count > 1 ? ", and not always for the same zone" : ""
            return (
                "\"\(name)\" is an abbreviation\(others); a zone is named by a place, whose rules include daylight saving: write \(Wording.join(known, "or"))",
                known
            )
        }
        if let place = ZoneAbbreviation.windows[upper] {
            return ("\"\(name)\" is the name that Windows has for a zone; write \(place)", [place])
        }
        if isRule(name) {
            return (
                "\"\(name)\" is a POSIX rule and not a name, and its offset counts west of Greenwich; write a place, such as Europe/Berlin",
                []
            )
        }
        return nil
    }

    /// The name with its inner spaces as underscores and without outer spaces; `nil` if it has no spaces.
    public static func withoutSpaces(_ name: String) -> String? {
        let words = name.split(whereSeparator: { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" })
        let joined = words.joined(separator: "_")
        return joined == name || joined.isEmpty ? nil : joined
    }

    /// `CET-1CEST`, `EST5EDT,M3.2.0,M11.1.0`, `<+03>-3`.
    private static func isRule(_ name: String) -> Bool {
        name.first == "<" || (name.utf8.contains { $0 &- UInt8(ascii: "0") <= 9 } && PosixRule(name) != nil)
            || hasOffsetInside(name)
    }

    /// Three or more letters, digits, and optional further letters, as in `MSK-3` and `AEST-10AEDT`.
    private static func hasOffsetInside(_ name: String) -> Bool {
        let isLetter = { (byte: UInt8) in byte & 0xdf &- UInt8(ascii: "A") < 26 }
        var rest = name.utf8.drop(while: isLetter)
        guard name.utf8.count - rest.count >= 3, rest.count > 0 else { return false }
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
        let digits = rest.prefix { $0 &- UInt8(ascii: "0") <= 9 }
        return (1...2).contains(digits.count) && rest.dropFirst(digits.count).allSatisfy(isLetter)
    }
}
