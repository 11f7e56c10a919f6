/// What a process complains of in its log: lines of WARNING and ERROR, by what they say and the kind that they name.
struct Complaints {
    private(set) var counts: [String: Int] = [:]

    init(_ log: String) {
        for line in log.split(separator: "\n") {
            // The time, the level, the program, the message, and then key=value.
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 3, words[1] == "WARNING" || words[1] == "ERROR" else { continue }
            let message = words[3...].prefix { !$0.contains("=") }.joined(separator: " ")
            let kind = words.first { $0.hasPrefix("kind=") }.map { " \($0)" } ?? ""
            counts[message + kind, default: 0] += 1
        }
    }

    /// What was said more often than once in each minute that has begun.
    func tooMany(in seconds: Double) -> [String] {
        counts.filter { Double($0.value) > (seconds / 60).rounded(.up) }.map { "\($0.value) times: \($0.key)" }.sorted()
    }
}
