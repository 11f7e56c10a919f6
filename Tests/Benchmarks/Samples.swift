import CarillonJSON

/// The values of several rounds.
struct Samples: Sendable {
    let values: [Double]

    init(_ values: [Double]) { self.values = values }

    var median: Double { percentile(0.5) }

    /// By the nearest rank; the median of an even number of values is the mean of the middle two.
    func percentile(_ part: Double) -> Double {
        let sorted = values.sorted()
        guard let last = sorted.last else { return .nan }
        if part == 0.5, sorted.count.isMultiple(of: 2) {
            return (sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
        }
        let index = Int((part * Double(sorted.count)).rounded(.up)) - 1
        return index < sorted.count ? sorted[max(0, index)] : last
    }

    /// Median (minimum-maximum).
    var text: String {
        guard values.count > 1, let least = values.min(), let most = values.max() else { return median.short }
        return "\(median.short) (\(least.short)-\(most.short))"
    }

    var json: JSONValue { .array(values.map { .number($0) }) }
}

extension Double {
    /// The number with its significant digits.
    var short: String {
        guard isFinite else { return "-" }
        let places = magnitude >= 100 ? 0 : magnitude >= 10 ? 1 : magnitude >= 1 ? 2 : 3
        let factor = [1.0, 10, 100, 1_000][places]
        let scaled = (self * factor).rounded()
        if places == 0 { return "\(Int64(scaled))" }
        let whole = Int64(scaled.magnitude) / Int64(factor)
        let rest = "\(Int64(scaled.magnitude) % Int64(factor))"
        let sign = scaled < 0 ? "-" : ""
        return "\(sign)\(whole).\(String(repeating: "0", count: places - rest.count))\(rest)"
    }
}

extension String {
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(0, width - count)) }
}
