internal import ArgumentParser
internal import CarillonJSON

struct ClusterCommand: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster",
        abstract: "Show the schedulers, their shards, the workers and the queue.",
        discussion:
            "Shows the state of the answering scheduler: a standby knows the leases, and only the leader knows the workers."
    )

    @OptionGroup(title: "Times")
    var times: TimeOptions

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func run(in world: World) async throws {
        let session = try global.session(in: world, times: times.format(in: world))
        let cluster = try await session.call("get_cluster", [:])
        guard session.format == .table else { return try session.writeJSON(cluster) }
        try session.write(DetailTable.cluster(cluster, session.times).text(session.style))
        for (layout, rows) in [
            (Table.Layout.shards, ClusterCommand.grouped(cluster["shards"]?.array ?? [])),
            (Table.Layout.workers, cluster["workers"]?.array ?? []),
        ] where !rows.isEmpty {
            var table = session.table(layout)
            try session.write("\n" + table.lines(of: rows))
        }
    }

    /// Merges shards whose other fields are equal into one row.
    static func grouped(_ shards: [JSONValue]) -> [JSONValue] {
        var groups: [(numbers: [Int64], members: [JSONValue.Member])] = []
        for shard in shards {
            guard case .object(let members) = shard else { continue }
            let number = shard["shard"]?.integer ?? -1
            let others = members.filter { $0.name != "shard" }
            if let index = groups.firstIndex(where: { $0.members == others }) {
                groups[index].numbers.append(number)
            } else {
                groups.append(([number], others))
            }
        }
        return groups.map { .object([JSONValue.Member("shards", .string(ranges($0.numbers)))] + $0.members) }
    }

    /// 0, 1, 2, 5 → `0-2, 5`.
    static func ranges(_ numbers: [Int64]) -> String {
        var ranges: [ClosedRange<Int64>] = []
        for number in numbers.sorted() {
            if let last = ranges.last, last.upperBound + 1 == number {
                ranges[ranges.count - 1] = last.lowerBound...number
            } else {
                ranges.append(number...number)
            }
        }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }.joined(
            separator: ", "
        )
    }
}
