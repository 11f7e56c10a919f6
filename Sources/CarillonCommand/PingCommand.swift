internal import ArgumentParser
internal import CarillonCore
internal import CarillonJSON

struct PingCommand: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "ping",
        abstract: "Measure round trips to a scheduler.",
        discussion: """
              carillon ping
              carillon ping --count 10000 --concurrency 64

            Exits with status 69 if no ping was answered.
            """
    )

    @Option(
        name: .customLong("count"),
        parsing: .unconditional,
        help: ArgumentHelp("Number of pings. (default: 10)", valueName: "count"),
        transform: WholeNumber.read
    )
    var count = 10

    @Option(
        name: .customLong("concurrency"),
        parsing: .unconditional,
        help: ArgumentHelp("Number of concurrent pings. (default: 1)", valueName: "count"),
        transform: WholeNumber.read
    )
    var concurrency = 1

    @OptionGroup(title: "Global options")
    var global: GlobalOptions

    func validate() throws {
        guard 1...10_000_000 ~= count else { throw ValidationError("--count is \(count); 1 to 10000000 are allowed") }
        guard 1...10_000 ~= concurrency else {
            throw ValidationError("--concurrency is \(concurrency); 1 to 10000 are allowed")
        }
    }

    func run(in world: World) async throws {
        let session = try global.session(in: world)
        let begin = ContinuousClock.now
        let series = await PingCommand.measure(session, count: count, concurrency: min(concurrency, count))
        let elapsed = begin.duration(to: .now).components
        let seconds = Double(elapsed.seconds) + Double(elapsed.attoseconds) / 1e18
        if series.microseconds.isEmpty, let error = series.failure { throw error }
        let report = PingReport(series, seconds: seconds)
        switch session.format {
        case .json: try session.writeJSON(report.json)
        case .table: try session.write(report.details.text(session.style))
        }
    }

    private static func measure(_ session: Session, count: Int, concurrency: Int) async -> PingSeries {
        let caller = session.caller
        return await withTaskGroup(of: PingSeries.self) { group in
            for index in 0..<concurrency {
                let share = count / concurrency + (index < count % concurrency ? 1 : 0)
                group.addTask {
                    var series = PingSeries()
                    for _ in 0..<share {
                        do throws(ClientError) {
                            series.add(try await caller.ping())
                        } catch {
                            series.failures += 1
                            series.failure = error
                            // If the first ping fails, the scheduler is unreachable and further pings would fail too.
                            if series.microseconds.isEmpty { break }
                        }
                    }
                    return series
                }
            }
            return await group.reduce(into: PingSeries()) { $0.merge($1) }
        }
    }
}

/// The measured round trips.
struct PingSeries: Sendable {
    var microseconds: [Int64] = []
    var addresses: Set<String> = []
    var failures = 0
    var failure: ClientError?

    mutating func add(_ trip: RoundTrip) {
        microseconds.append(trip.microseconds)
        addresses.insert(trip.address)
    }

    mutating func merge(_ other: PingSeries) {
        microseconds += other.microseconds
        addresses.formUnion(other.addresses)
        failures += other.failures
        failure = failure ?? other.failure
    }
}

struct PingReport {
    private let series: PingSeries
    private let sorted: [Int64]
    private let seconds: Double

    init(_ series: PingSeries, seconds: Double) {
        self.series = series
        self.seconds = seconds
        sorted = series.microseconds.sorted()
    }

    /// Nearest rank: the smallest value that is greater than or equal to `percent` of all values.
    func percentile(_ percent: Double) -> Int64 {
        let rank = Int((percent / 100 * Double(sorted.count)).rounded(.up))
        return sorted[min(max(rank, 1), sorted.count) - 1]
    }

    private var figures: [(name: String, milliseconds: Double)] {
        guard !sorted.isEmpty else { return [] }
        let mean = Double(sorted.reduce(0, +)) / Double(sorted.count)
        var figures = [("min", Double(sorted[0])), ("avg", mean)]
        for percent in [50.0, 90, 95, 99] {
            figures.append(("p\(TextFormat.decimal(percent, places: 0))", Double(percentile(percent))))
        }
        figures.append(("max", Double(sorted[sorted.count - 1])))
        return figures.map { ($0.0, $0.1 / 1000) }
    }

    private var rate: Double { seconds > 0 ? Double(sorted.count) / seconds : 0 }

    var details: DetailTable {
        var details = DetailTable()
        details.add("scheduler", series.addresses.sorted().joined(separator: ", "))
        details.add(
            "answered",
            "\(sorted.count) of \(sorted.count + series.failures)",
            colour: series.failures > 0 ? .red : nil
        )
        for figure in figures { details.add(figure.name, "\(TextFormat.decimal(figure.milliseconds, places: 3)) ms") }
        details.add("rate", "\(TextFormat.decimal(rate, places: 0)) round trips/s")
        if let failure = series.failure { details.add("last failure", failure.text) }
        return details
    }

    var json: JSONValue {
        var members = [
            JSONValue.Member("addresses", .array(series.addresses.sorted().map(JSONValue.string))),
            JSONValue.Member("answered", .integer(Int64(sorted.count))),
            JSONValue.Member("failed", .integer(Int64(series.failures))),
        ]
        members += figures.map { JSONValue.Member("\($0.name)_ms", .number(($0.milliseconds * 1000).rounded() / 1000)) }
        members.append(JSONValue.Member("round_trips_per_second", .number(rate.rounded())))
        return .object(members)
    }
}
