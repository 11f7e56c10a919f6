internal import ArgumentParser
internal import CarillonJSON

/// Completion of job names: the shell runs `carillon`, which asks the schedulers.
enum JobNames {
    /// The world of the command line that is being parsed.
    @TaskLocal static var world: World?

    /// A shell that waits longer seems to hang.
    private static let timeoutMs: Int64 = 1_000
    private static let most = 10_000

    static let completion = CompletionKind.custom { words, _, prefix async in await names(words, prefix) }

    /// The names that begin with `prefix`; none when no scheduler answers.
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
        // A completion is one line.
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
