internal import Synchronization

/// The metrics of a process, and their text format. Registering a name again with the same kind returns the existing metric.
package final class MetricsRegistry: Sendable {
    /// One value of a metric that is read at a scrape: its label values and the number.
    package typealias Reading = (labels: [String], value: Double)

    private enum Kind: Sendable {
        case counter(MetricFamily<Counter>)
        case gauge(MetricFamily<Gauge>)
        case histogram(MetricFamily<Histogram>)
        case read(type: String, @Sendable () -> [Reading])

        var type: String {
            switch self {
            case .counter: "counter"
            case .gauge: "gauge"
            case .histogram: "histogram"
            case .read(let type, _): type
            }
        }
    }

    private struct Entry: Sendable {
        var name: String
        var help: String
        /// `nil`: a library's metric, whose series have their own labels.
        var labels: [String]?
        var kind: Kind
    }

    private struct Entries {
        var ordered: [Entry] = []
        var positions: [String: Int] = [:]
    }

    private let entries = Mutex(Entries())

    /// - Parameter component: the program, such as `carillon-worker`: a label of `carillon_build_info`. With `nil` the metrics of
    ///   the process itself are omitted.
    package init(component: String? = nil) {
        guard let component else { return }
        gauges("carillon_build_info", help: "Version of the program; always 1.", labels: ["component", "version"]) {
            [([component, CarillonVersion.current], 1)]
        }
        ProcessMetrics.register(in: self)
    }

    // MARK: Registration

    /// A counter, whose name must end in `_total`.
    package func counter(_ name: String, help: String) -> Counter {
        counters(name, help: help, labels: []).with([])
    }

    package func counters(_ name: String, help: String, labels: [String]) -> MetricFamily<Counter> {
        let family = MetricFamily(labelCount: labels.count) { Counter() }
        guard case .counter(let known) = enter(name, help, labels, .counter(family)) else { return family }
        return known
    }

    package func gauge(_ name: String, help: String) -> Gauge {
        gauges(name, help: help, labels: []).with([])
    }

    package func gauges(_ name: String, help: String, labels: [String]) -> MetricFamily<Gauge> {
        let family = MetricFamily(labelCount: labels.count) { Gauge() }
        guard case .gauge(let known) = enter(name, help, labels, .gauge(family)) else { return family }
        return known
    }

    package func histogram(_ name: String, help: String, bounds: [Double]) -> Histogram {
        histograms(name, help: help, labels: [], bounds: bounds).with([])
    }

    package func histograms(
        _ name: String,
        help: String,
        labels: [String],
        bounds: [Double]
    ) -> MetricFamily<Histogram> {
        let family = MetricFamily(labelCount: labels.count) { Histogram(bounds: bounds) }
        guard case .histogram(let known) = enter(name, help, labels, .histogram(family)) else { return family }
        return known
    }

    /// A gauge that is read at a scrape; `nil` omits it from that scrape. The closure must not block.
    package func gauge(_ name: String, help: String, read: @escaping @Sendable () -> Double?) {
        gauges(name, help: help, labels: []) { read().map { [([], $0)] } ?? [] }
    }

    /// Gauges that are read at a scrape, with any number of series.
    package func gauges(_ name: String, help: String, labels: [String], read: @escaping @Sendable () -> [Reading]) {
        _ = enter(name, help, labels, .read(type: "gauge", read))
    }

    /// A counter that is kept elsewhere and read at a scrape.
    package func counter(_ name: String, help: String, read: @escaping @Sendable () -> Double?) {
        counters(name, help: help, labels: []) { read().map { [([], $0)] } ?? [] }
    }

    package func counters(_ name: String, help: String, labels: [String], read: @escaping @Sendable () -> [Reading]) {
        _ = enter(name, help, labels, .read(type: "counter", read))
    }

    private func enter(_ name: String, _ help: String, _ labels: [String], _ kind: Kind) -> Kind {
        precondition(ExpositionText.isMetricName(name), "\(name) is not a valid metric name")
        precondition(
            labels.allSatisfy { ExpositionText.isMetricName($0) && $0 != "le" && !$0.hasPrefix("__") },
            "\(name) has a label that Prometheus reserves or cannot read: \(labels)"
        )
        precondition(
            (kind.type == "counter") == name.hasSuffix("_total"),
            "exactly the names of counters end in _total: \(name)"
        )
        return entries.withLock { entries in
            if let position = entries.positions[name] {
                let known = entries.ordered[position]
                precondition(
                    known.kind.type == kind.type && known.labels == labels,
                    "\(name) is already a \(known.kind.type) with the labels \(known.labels ?? [])"
                )
                if case .read = kind { entries.ordered[position].kind = kind }
                return entries.ordered[position].kind
            }
            entries.positions[name] = entries.ordered.count
            entries.ordered.append(Entry(name: name, help: help, labels: labels, kind: kind))
            return kind
        }
    }

    // MARK: Libraries

    /// Names of the process's own metrics, which a library cannot use.
    private static func isReserved(_ name: String) -> Bool {
        name.hasPrefix("carillon_") || name.hasPrefix("process_")
    }

    /// The limit of libraries' metric names; further ones are not shown.
    private static let libraryLimit = 500

    func libraryCounters(_ name: String) -> MetricFamily<Counter> {
        let family = MetricFamily(labelCount: nil) { Counter() }
        if case .counter(let known) = enterLibrary(name, .counter(family)) { return known }
        return family
    }

    func libraryGauges(_ name: String) -> MetricFamily<Gauge> {
        let family = MetricFamily(labelCount: nil) { Gauge() }
        if case .gauge(let known) = enterLibrary(name, .gauge(family)) { return known }
        return family
    }

    func libraryHistograms(_ name: String, bounds: [Double]) -> MetricFamily<Histogram> {
        let family = MetricFamily(labelCount: nil) { Histogram(bounds: bounds) }
        if case .histogram(let known) = enterLibrary(name, .histogram(family)) { return known }
        return family
    }

    /// The metric with this name; `kind` itself, which is not shown, when the name is taken or the limit is reached.
    private func enterLibrary(_ name: String, _ kind: Kind) -> Kind {
        guard ExpositionText.isMetricName(name), !Self.isReserved(name) else { return kind }
        return entries.withLock { entries in
            if let position = entries.positions[name] {
                let known = entries.ordered[position]
                return known.labels == nil && known.kind.type == kind.type ? known.kind : kind
            }
            guard entries.ordered.count(where: { $0.labels == nil }) < Self.libraryLimit else { return kind }
            entries.positions[name] = entries.ordered.count
            let help = "Recorded by a library."
            entries.ordered.append(Entry(name: name, help: help, labels: nil, kind: kind))
            return kind
        }
    }

    // MARK: Text

    /// The media type of the text.
    package static let contentType = ExpositionText.contentType

    /// All metrics in the text format, ordered by name, without families that have no series.
    package func render() -> String {
        let ordered = entries.withLock { $0.ordered }.sorted { $0.name < $1.name }
        var text = ExpositionText()
        for entry in ordered {
            func labelled(_ values: [String]) -> [(name: String, value: String)] {
                guard let labels = entry.labels else {
                    return stride(from: 0, to: values.count, by: 2).map { (name: values[$0], value: values[$0 + 1]) }
                }
                return zip(labels, values).map { (name: $0, value: $1) }
            }
            switch entry.kind {
            case .counter(let family):
                let series = family.all
                if !series.isEmpty { text.header(name: entry.name, help: entry.help, type: "counter") }
                for one in series { text.sample(entry.name, labelled(one.values), String(one.metric.value)) }
            case .gauge(let family):
                let series = family.all
                if !series.isEmpty { text.header(name: entry.name, help: entry.help, type: "gauge") }
                for one in series {
                    text.sample(entry.name, labelled(one.values), ExpositionText.number(one.metric.value))
                }
            case .histogram(let family):
                let series = family.all
                if !series.isEmpty { text.header(name: entry.name, help: entry.help, type: "histogram") }
                for one in series { text.histogram(entry.name, labelled(one.values), one.metric) }
            case .read(let type, let read):
                let readings = read()
                if !readings.isEmpty { text.header(name: entry.name, help: entry.help, type: type) }
                for reading in readings {
                    text.sample(entry.name, labelled(reading.labels), ExpositionText.number(reading.value))
                }
            }
        }
        return text.text
    }
}
