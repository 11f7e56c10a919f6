/// Characters in and between fields that look valid and are not: line breaks, other spaces, quotes, semicolons.
enum Separators {
    /// The error for the first such character; `nil` if there is none.
    static func error(in source: CronSource) -> CronError? {
        let all = 0..<source.bytes.count
        let text = source.text(all)
        var position = 0
        for scalar in text.unicodeScalars {
            let range = position..<position + UTF8.width(scalar)
            // Invalid UTF-8 is longer as text than in bytes.
            guard range.upperBound <= source.bytes.count else { return nil }
            position = range.upperBound
            guard let problem = problem(with: scalar) else { continue }
            let fixed = corrected(text)
            return source.error(
                nil,
                range,
                problem,
                fixed.isEmpty ? nil : Proposal(before: "", after: "", fragment: fixed, note: "", isExpression: true)
            )
        }
        return nil
    }

    private static func problem(with scalar: Unicode.Scalar) -> String? {
        switch scalar {
        case "\n", "\r": "is a line break; an expression is one line, and several are joined by |"
        case ";": "separates no schedules; several expressions are joined by |"
        case "\"", "'", "`", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}":
            "is a quotation mark and does not belong to the expression"
        default:
            if spaces.contains(scalar) {
                "(\(code(scalar))) looks like a space and is none; fields are separated by spaces and tabs"
            } else if invisible.contains(scalar) {
                "(\(code(scalar))) is invisible and does not belong to the expression"
            } else if let character = lookalikes[scalar] {
                "(\(code(scalar))) only looks like \(character)"
            } else {
                nil
            }
        }
    }

    /// The text with valid characters. Lines and parts between semicolons become a union.
    private static func corrected(_ text: String) -> String {
        var parts = [""]
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n", "\r", ";": parts.append("")
            case "\"", "'", "`", "\u{2018}", "\u{2019}", "\u{201C}", "\u{201D}": break
            default:
                if spaces.contains(scalar) {
                    parts[parts.count - 1] += " "
                } else if let character = lookalikes[scalar] {
                    parts[parts.count - 1] += character
                } else if !invisible.contains(scalar) {
                    parts[parts.count - 1].unicodeScalars.append(scalar)
                }
            }
        }
        return parts.map { part in
            let source = CronSource(part)
            return source.text(source.trimmed(0..<source.bytes.count))
        }.filter { !$0.isEmpty }.joined(separator: " | ")
    }

    private static func code(_ scalar: Unicode.Scalar) -> String {
        let digits = String(scalar.value, radix: 16, uppercase: true)
        return "U+" + String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
    }

    private static let spaces: Set<Unicode.Scalar> = [
        "\u{0B}", "\u{0C}", "\u{85}", "\u{A0}", "\u{1680}", "\u{2000}", "\u{2001}", "\u{2002}", "\u{2003}", "\u{2004}",
        "\u{2005}", "\u{2006}", "\u{2007}", "\u{2008}", "\u{2009}", "\u{200A}", "\u{2028}", "\u{2029}", "\u{202F}",
        "\u{205F}", "\u{3000}",
    ]

    private static let invisible: Set<Unicode.Scalar> = [
        "\u{AD}", "\u{200B}", "\u{200C}", "\u{200D}", "\u{200E}", "\u{200F}", "\u{2060}", "\u{FEFF}",
    ]

    private static let lookalikes: [Unicode.Scalar: String] = [
        "\u{2010}": "-", "\u{2011}": "-", "\u{2012}": "-", "\u{2013}": "-", "\u{2014}": "-", "\u{2212}": "-",
        "\u{FF0D}": "-", "\u{2217}": "*", "\u{22C6}": "*", "\u{FF0A}": "*", "\u{2731}": "*", "\u{FF0C}": ",",
        "\u{201A}": ",", "\u{2044}": "/", "\u{2215}": "/", "\u{FF0F}": "/",
    ]
}
