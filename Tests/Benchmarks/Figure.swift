import CarillonJSON

/// A measured quantity with its limit and the wanted value.
struct Figure: Sendable {
    /// The result of the machine's limit, or of the best other program, in the same run.
    struct Limit: Sendable {
        var name: String
        var samples: Samples
    }

    enum Wanted: Sendable {
        case atLeast(Double)
        case atMost(Double)
        /// Relative to the limit.
        case ratioAtLeast(Double)
        case ratioAtMost(Double)
    }

    var name: String
    var unit: String
    var samples: Samples
    var limit: Limit?
    var wanted: [Wanted]

    init(_ name: String, _ unit: String, _ samples: [Double], limit: Limit? = nil, wanted: Wanted...) {
        self.name = name
        self.unit = unit
        self.samples = Samples(samples)
        self.limit = limit
        self.wanted = wanted
    }

    /// The figure divided by its limit.
    var ratio: Double? { limit.map { samples.median / $0.samples.median } }

    /// The row of the table.
    var row: String {
        var line = "  \(name.padded(52)) \(samples.text.padded(30)) \(unit.padded(8))"
        if let limit, let ratio {
            line += " \(limit.name) \(limit.samples.text), ratio \(ratio.short)"
        }
        for each in wanted { line += "  [\(text(of: each)): \(isMet(each) ? "met" : "MISSED")]" }
        return line
    }

    func isMet(_ wanted: Wanted) -> Bool {
        switch wanted {
        case .atLeast(let value): samples.median >= value
        case .atMost(let value): samples.median <= value
        case .ratioAtLeast(let value): (ratio ?? 0) >= value
        case .ratioAtMost(let value): (ratio ?? .infinity) <= value
        }
    }

    private func text(of wanted: Wanted) -> String {
        switch wanted {
        case .atLeast(let value): "at least \(value.short)"
        case .atMost(let value): "at most \(value.short)"
        case .ratioAtLeast(let value): "ratio at least \(value.short)"
        case .ratioAtMost(let value): "ratio at most \(value.short)"
        }
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(name)), .init("unit", .string(unit)), .init("median", .number(samples.median)),
            .init("samples", samples.json),
        ]
        if let limit {
            members.append(.init("limit", .string(limit.name)))
            members.append(.init("limit_median", .number(limit.samples.median)))
            members.append(.init("limit_samples", limit.samples.json))
            members.append(.init("ratio", .number(samples.median / limit.samples.median)))
        }
        let judged = wanted.map { each -> JSONValue in
            ["wanted": .string(text(of: each)), "met": .bool(isMet(each))]
        }
        if !judged.isEmpty { members.append(.init("wanted", .array(judged))) }
        return .object(members)
    }
}
