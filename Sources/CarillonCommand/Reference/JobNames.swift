internal import ArgumentParser
internal import CarillonJSON

/// Completion of job names. The shell runs `carillon`, which asks the schedulers.
enum JobNames {
    /// The `World` of the command line that is being parsed.
    @TaskLocal static var world: World?

    /// The time limit; a longer wait would make the shell seem to hang.
    private static let timeoutMs: Int64 = 1_000
    private static let most = 10_000

    static let completion = CompletionKind.custom { words, _, prefix async in await names(words, prefix) }

    /// The job names with the prefix; empty if no scheduler answers.
    private static func names(_ words: [String], _ prefix: String) async -> [String] {
        guard let world else { return [] }
        var names: [String] = []
        do {
            let addresses = try SchedulerAddresses.list(
                option: value(of: "--schedulers", in: words),
                context: value(of: "--context", in: words),
                in: world
            )
            let session = Session(
                world: world,
                caller: try world.connect(addresses, timeoutMs),
                format: .json,
                times: .utc
            )
            let list = PagedList(request: "list_jobs", arguments: [], member: "jobs", count: most)
            _ = try await list.forEachPage(in: session) { _, jobs in
                names += jobs.compactMap { $0["name"]?.string }.filter { $0.hasPrefix(prefix) }
                return true
            }
        } catch {
            return []
        }
        // Names with line breaks cannot be completed.
        return names.filter { !$0.contains(where: \.isNewline) }.sorted()
    }

    private static func value(of option: String, in words: [String]) -> String? {
        for (index, word) in words.enumerated() {
            if word == option, index + 1 < words.count { return words[index + 1] }
            if word.hasPrefix(option + "=") { return String(word.dropFirst(option.count + 1)) }
        }
        return nil
    }
}
