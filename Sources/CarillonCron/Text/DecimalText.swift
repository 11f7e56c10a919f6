/// Bytes of a text that is mostly digits.
struct DecimalText {
    private var bytes: [UInt8] = []

    init() {
        bytes.reserveCapacity(32)
    }

    var string: String {
        String(decoding: bytes, as: UTF8.self)
    }

    /// Digits with leading zeros up to `width`.
    mutating func append(_ value: Int, width: Int) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        var rest = value.magnitude
        var digits = 1
        while rest >= 10 {
            rest /= 10
            digits += 1
        }
        // From the last digit to the first, in place, because reversing a slice copies it.
        for _ in 0..<max(width, digits) { bytes.append(UInt8(ascii: "0")) }
        rest = value.magnitude
        var position = bytes.count - 1
        while rest > 0 {
            bytes[position] += UInt8(rest % 10)
            rest /= 10
            position -= 1
        }
    }

    mutating func append(_ character: Unicode.Scalar) {
        bytes.append(UInt8(ascii: character))
    }

    /// `2026-11-23T20:00:00`.
    mutating func append(_ time: CivilTime) {
        append(time.year, width: 4)
        append("-")
        append(time.month, width: 2)
        append("-")
        append(time.day, width: 2)
        append("T")
        append(time.hour, width: 2)
        append(":")
        append(time.minute, width: 2)
        append(":")
        append(time.second, width: 2)
    }
}
