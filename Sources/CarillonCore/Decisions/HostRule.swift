/// The rules for the host of an api_url: an address, or a name that DNS allows (RFC 1123, section 2.1). Names in other
/// scripts are accepted (RFC 5891); the worker sends their ASCII form.
enum HostRule {
    private static let maxLabelBytes = 63
    private static let maxNameBytes = 253

    /// The problem with the IPv6 address between the brackets of `[…]`; `nil` if it is valid.
    static func problem(withIPv6 host: ArraySlice<UInt8>) -> String? {
        isIPv6(host) ? nil : "has '[\(String(decoding: host, as: UTF8.self))]' as its host, an invalid IPv6 address"
    }

    /// The problem with a host that is not an IPv6 address, as a sentence; `nil` if it is valid.
    /// - Parameter host: as in the URL, with valid escapes.
    static func problem(withName host: ArraySlice<UInt8>) -> String? {
        let given = "has '\(String(decoding: host, as: UTF8.self))' as its host"
        guard let name = String(validating: unescaped(host), as: UTF8.self) else {
            return "\(given), which is not UTF-8"
        }
        // The full stops of Chinese and Japanese are equivalent to the dot.
        let dots: Set<Unicode.Scalar> = [".", "\u{3002}", "\u{FF0E}", "\u{FF61}"]
        var labels = name.unicodeScalars.split(omittingEmptySubsequences: false) { dots.contains($0) }.map(Array.init)
        if labels.allSatisfy(isNumeric) {
            return isIPv4(labels) ? nil : "\(given), which is not an IPv4 address"
        }
        // A dot at the end denotes the DNS root.
        if labels.count > 1, labels.last?.isEmpty == true { labels.removeLast() }
        if labels.allSatisfy(isNumeric) { return "\(given), which is not an IPv4 address; remove the final dot" }
        let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
        for label in labels {
            if let problem = problem(withLabel: label, isASCII: isASCII) { return "\(given), \(problem)" }
        }
        let count = labels.reduce(labels.count - 1) { $0 + Punycode.count($1) }
        if count > maxNameBytes { return "\(given), which has \(count) bytes; a host name has at most \(maxNameBytes)" }
        return nil
    }

    private static func problem(withLabel label: [Unicode.Scalar], isASCII: Bool) -> String? {
        let part = "'\(String(String.UnicodeScalarView(label)))'"
        if label.isEmpty { return "which is not a host name: a part between two dots is empty" }
        for (index, scalar) in label.enumerated() where !isAllowed(scalar, at: index, of: label) {
            let shown = scalar.value > 0x20 && scalar.value != 0x7F ? "'\(scalar)'" : "a blank or control character"
            return
                "which is not a host name: \(part) has \(shown), which is not a letter, digit or hyphen"
        }
        if label.first == "-" || label.last == "-" {
            return "which is not a host name: \(part) begins or ends with a hyphen"
        }
        // RFC 5891, section 4.2.3.1: such names are reserved for the ASCII form, which must not be mixed with Unicode
        // labels.
        if !isASCII, label.count >= 4, label[2] == "-", label[3] == "-" {
            return "which is not a host name: \(part) has two hyphens after its second character"
        }
        let count = Punycode.count(label)
        if count > maxLabelBytes {
            return "which is not a host name: \(part) has \(count) bytes; a part has at most \(maxLabelBytes)"
        }
        return nil
    }

    /// Whether a label may contain this character. Other characters can be written in ASCII form (xn--…).
    private static func isAllowed(_ scalar: Unicode.Scalar, at index: Int, of label: [Unicode.Scalar]) -> Bool {
        if scalar.isASCII { return isAlphanumeric(scalar) || scalar == "-" || scalar == "_" }
        let properties = scalar.properties
        // Not assigned in the Unicode version that the converter uses, or invisible.
        guard !properties.isDefaultIgnorableCodePoint, let age = properties.age, age.major <= 13 else { return false }
        switch properties.generalCategory {
        case .lowercaseLetter, .decimalNumber: return true
        case .uppercaseLetter, .titlecaseLetter: return !youngCapitals.contains { $0 ~= scalar.value }
        case .otherLetter, .modifierLetter, .letterNumber, .otherSymbol:
            return !properties.changesWhenNFKCCaseFolded && !controlSymbols.contains { $0 ~= scalar.value }
        case .nonspacingMark, .spacingMark: return index > 0
        default: return scalar == "\u{30FB}" || scalar == "\u{B7}"
        }
    }

    /// Capitals that had no lower-case form when the IDNA2008 tables were made, and are not mapped.
    private static let youngCapitals: [ClosedRange<UInt32>] = [
        0x4C0...0x4C0, 0x10A0...0x10CF, 0x2132...0x2132, 0x2183...0x2183,
    ]
    /// Symbols that describe ideographs or replace missing characters.
    private static let controlSymbols: [ClosedRange<UInt32>] = [0x2FF0...0x2FFB, 0xFFFC...0xFFFD]

    // MARK: Addresses

    private static func isNumeric(_ label: [Unicode.Scalar]) -> Bool {
        if label.count > 2, label[0] == "0", label[1] == "x" || label[1] == "X" {
            return label.dropFirst(2).allSatisfy { $0.properties.isASCIIHexDigit }
        }
        return !label.isEmpty && label.allSatisfy { $0 >= "0" && $0 <= "9" }
    }

    /// One to four numbers, decimal, octal or hexadecimal, as inet_aton accepts them. The last one contains the
    /// remaining bytes.
    private static func isIPv4(_ labels: [[Unicode.Scalar]]) -> Bool {
        guard 1...4 ~= labels.count else { return false }
        for (index, label) in labels.enumerated() {
            let text = String(String.UnicodeScalarView(label)).lowercased()
            let value =
                text.hasPrefix("0x")
                ? UInt64(text.dropFirst(2), radix: 16)
                : text.hasPrefix("0") ? UInt64(text, radix: 8) : UInt64(text)
            let bytes = index == labels.count - 1 ? 5 - labels.count : 1
            guard let value, value < UInt64(1) << (8 * UInt64(bytes)) else { return false }
        }
        return true
    }

    /// RFC 4291, section 2.2.
    private static func isIPv6(_ host: ArraySlice<UInt8>) -> Bool {
        let text = String(decoding: host, as: UTF8.self)
        let halves = text.split(separator: "::", omittingEmptySubsequences: false)
        guard halves.count <= 2, !text.contains(":::") else { return false }
        var groups = 0
        for (index, half) in halves.enumerated() where !half.isEmpty {
            let parts = half.split(separator: ":", omittingEmptySubsequences: false)
            for (position, part) in parts.enumerated() {
                let isLast = index == halves.count - 1 && position == parts.count - 1
                if isLast, part.contains(".") {
                    guard isDotted(part) else { return false }
                    groups += 2
                } else {
                    guard 1...4 ~= part.utf8.count, part.unicodeScalars.allSatisfy(\.properties.isASCIIHexDigit) else {
                        return false
                    }
                    groups += 1
                }
            }
        }
        return halves.count == 2 ? groups <= 7 : groups == 8
    }

    /// Four decimal numbers without leading zeros.
    private static func isDotted(_ text: Substring) -> Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                1...3 ~= part.utf8.count && part.utf8.allSatisfy { 0x30...0x39 ~= $0 }
                    && Int(part).map { $0 < 256 } == true
                    && (part.utf8.count == 1 || part.utf8.first != UInt8(ascii: "0"))
            }
    }

    // MARK: Bytes

    private static func isAlphanumeric(_ scalar: Unicode.Scalar) -> Bool {
        ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar)
    }

    private static func unescaped(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        var (result, index) = ([UInt8](), bytes.startIndex)
        while index < bytes.endIndex {
            let isEscape = bytes[index] == UInt8(ascii: "%") && index + 2 < bytes.endIndex
            let digits = isEscape ? String(decoding: bytes[index + 1...index + 2], as: UTF8.self) : ""
            if let byte = UInt8(digits, radix: 16) {
                result.append(byte)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }
}

/// The length of a label in its ASCII form (RFC 3492).
enum Punycode {
    private static let (base, tMin, tMax, skew, damp) = (36, 1, 26, 38, 700)

    /// The length of the label in bytes, including the prefix `xn--` if it is not ASCII.
    static func count(_ label: [Unicode.Scalar]) -> Int {
        let scalars = label.map { Int($0.properties.lowercaseMapping.unicodeScalars.first?.value ?? $0.value) }
        let basic = scalars.count { $0 < 0x80 }
        guard basic < scalars.count else { return basic }
        var (count, delta, next, bias) = (4 + basic + (basic > 0 ? 1 : 0), 0, 0x80, 72)
        var handled = basic
        while handled < scalars.count {
            let least = scalars.filter { $0 >= next }.min() ?? next
            delta += (least - next) * (handled + 1)
            next = least
            for scalar in scalars {
                if scalar < next { delta += 1 }
                guard scalar == next else { continue }
                count += digits(delta, bias)
                bias = adapt(delta, handled + 1, isFirst: handled == basic)
                (delta, handled) = (0, handled + 1)
            }
            (delta, next) = (delta + 1, next + 1)
        }
        return count
    }

    private static func digits(_ delta: Int, _ bias: Int) -> Int {
        var (count, rest, step) = (1, delta, base)
        while true {
            let threshold = step <= bias ? tMin : min(tMax, step - bias)
            if rest < threshold { return count }
            rest = (rest - threshold) / (base - threshold)
            count += 1
            step += base
        }
    }

    private static func adapt(_ delta: Int, _ points: Int, isFirst: Bool) -> Int {
        var (delta, steps) = (isFirst ? delta / damp : delta / 2, 0)
        delta += delta / points
        while delta > (base - tMin) * tMax / 2 {
            delta /= base - tMin
            steps += base
        }
        return steps + (base - tMin + 1) * delta / (delta + skew)
    }
}
