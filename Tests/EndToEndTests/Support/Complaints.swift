/// The WARNING and ERROR lines in the log of a process, by their text and their `kind`.
struct Complaints: CustomStringConvertible {
    private(set) var counts: [String: Int] = [:]

    init(log: some StringProtocol) {
        for line in log.split(separator: "\n") {
            // The format of a line: time, level, program, text, and metadata as name=value.
            let words = line.split(separator: " ", omittingEmptySubsequences: true)
            guard words.count > 3, ["WARNING", "ERROR"].contains(words[1]) else { continue }
            let message = words[3...].prefix { !$0.contains("=") }.joined(separator: " ")
            let kind = words.first { $0.hasPrefix("kind=") }.map { " (\($0))" } ?? ""
            counts[message + kind, default: 0] += 1
        }
    }

    func contains(_ message: String) -> Bool { counts.keys.contains { $0.hasPrefix(message) } }

    /// Lines that peers can cause at will are logged at most once a minute. Returns lines that were logged more often.
    func repeated(withinSeconds seconds: Double) -> [String] {
        let limit = 1 + Int(seconds / 60)
        let provoked = ["closed a", "refused a", "a target's answer"]
        return counts.filter { line in line.value > limit && provoked.contains { line.key.hasPrefix($0) } }.map {
            "\($0.key): \($0.value) times"
        }.sorted()
    }

    var description: String {
        counts.isEmpty ? "none" : counts.map { "\($0.key) \($0.value)" }.sorted().joined(separator: ", ")
    }
}
