internal import CarillonCore
internal import HTTPTypes

/// Escaping and headers of HTML pages.
enum HTML {
    static let contentType = "text/html; charset=utf-8"

    /// Escapes text for use in an element or in a quoted attribute.
    static func escape(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            byte != UInt8(ascii: "&") && byte != UInt8(ascii: "<") && byte != UInt8(ascii: ">")
                && byte != UInt8(ascii: "\"") && byte != UInt8(ascii: "'")
        }
        if isPlain { return text }
        var escaped = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": escaped += "&amp;"
            case "<": escaped += "&lt;"
            case ">": escaped += "&gt;"
            case "\"": escaped += "&quot;"
            case "'": escaped += "&#39;"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }

    /// Escaped, with `code` between backquotes.
    static func prose(_ text: String) -> String {
        text.split(separator: "`", omittingEmptySubsequences: false).enumerated().map { index, part in
            index.isMultiple(of: 2) ? escape(String(part)) : "<code>\(escape(String(part)))</code>"
        }
        .joined()
    }

    /// The headers of a page. Only the page's own style and script are allowed, and nothing is loaded from other
    /// addresses.
    static func headers(style: String, script: String? = nil) -> HTTPFields {
        let script = script.map { "; script-src '\(hash($0))'" } ?? ""
        return [
            .contentSecurityPolicy:
                "default-src 'none'; style-src '\(hash(style))'\(script); img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            .referrerPolicy: "no-referrer", .frameOptions: "DENY",
        ]
    }

    /// A source expression (Content Security Policy, section 2.3.1).
    static func hash(_ text: String) -> String {
        "sha256-" + base64(SHA256.digest(of: Array(text.utf8)))
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits = group.reduce(0) { $0 << 8 | Int($1) }
            bits <<= 8 * (3 - group.count)
            for index in 0..<4 {
                text.append(index <= group.count ? letters[bits >> (18 - 6 * index) & 63] : "=")
            }
        }
        return text
    }
}
