/// English for sets of numbers.
enum Wording {
    /// `a`, `a and b`, `a, b and c`.
    static func join(_ parts: [String], _ conjunction: String = "and") -> String {
        guard parts.count > 1 else { return parts.first ?? "" }
        return parts.dropLast().joined(separator: ", ") + " \(conjunction) " + parts[parts.count - 1]
    }

    /// `5`, `5 and 6`, `5 through 8 and 10`.
    static func list(_ members: [Int], _ conjunction: String = "and", _ word: (Int) -> String) -> String {
        join(
            FieldSchedule.runs(members).map { run in
                run.count == 1 ? word(run.lowerBound) : "\(word(run.lowerBound)) through \(word(run.upperBound))"
            },
            conjunction
        )
    }

    /// `2nd`, `3rd`, `11th`, `21st`.
    static func ordinal(_ number: Int) -> String {
        if (11...13).contains(number % 100) { return "\(number)th" }
        return switch number % 10 {
        case 1: "\(number)st"
        case 2: "\(number)nd"
        case 3: "\(number)rd"
        default: "\(number)th"
        }
    }

    /// `10 minutes`, `1 hour 30 minutes`.
    static func duration(_ seconds: Int64) -> String {
        var rest = seconds
        var parts: [String] = []
        for (unit, length) in [("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)] as [(String, Int64)]
        where rest >= length {
            let count = rest / length
            parts.append("\(count) \(unit)\(count == 1 ? "" : "s")")
            rest %= length
        }
        return parts.joined(separator: " ")
    }

    static func twoDigits(_ number: Int) -> String {
        number < 10 ? "0\(number)" : "\(number)"
    }

    /// The step of three or more numbers in steady steps of at least two; `nil` for any others.
    static func step(_ members: [Int]) -> Int? {
        guard members.count >= 3 else { return nil }
        let step = members[1] - members[0]
        return step > 1 && zip(members, members.dropFirst()).allSatisfy { $1 - $0 == step } ? step : nil
    }

    /// `every minute`, `every 7th minute from 0 through 56`, `minute 5`, `minutes 5, 10 and 20 through 25`.
    static func units(_ unit: String, _ members: [Int], of count: Int, _ word: (Int) -> String) -> String {
        if members.count == count { return "every \(unit)" }
        if let step = step(members) {
            return "every \(ordinal(step)) \(unit) from \(word(members[0])) through \(word(members[members.count - 1]))"
        }
        return "\(unit)\(members.count == 1 ? "" : "s") \(list(members, word))"
    }

    static func list(_ members: [Int], _ word: (Int) -> String) -> String {
        list(members, "and", word)
    }
}
