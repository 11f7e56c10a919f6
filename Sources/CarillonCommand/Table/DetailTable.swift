internal import CarillonJSON

/// Names and values, one pair a line.
struct DetailTable {
    private var facts: [(name: String, value: String, colour: Style.Colour?)] = []

    mutating func add(_ name: String, _ value: String?, colour: Style.Colour? = nil) {
        guard let value, !value.isEmpty else { return }
        facts.append((name, TerminalText.line(value), colour))
    }

    /// Adds a time in the zone of `times`.
    mutating func add(_ name: String, time value: JSONValue?, _ times: TimeFormat) {
        add(name, times.text(value))
    }

    func text(_ style: Style) -> String {
        let width = facts.map { TerminalText.width(of: $0.name) }.max() ?? 0
        return facts.map { fact in
            let space = String(repeating: " ", count: width - TerminalText.width(of: fact.name) + 2)
            return "\(style.paint(fact.name, .bold))\(space)\(style.paint(fact.value, fact.colour))\n"
        }.joined()
    }
}
