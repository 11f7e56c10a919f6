import CarillonJSON

/// Draws the pictures of a result file.
enum Pictures {
    static func draw(from path: String) throws {
        let file = try ResultFile.read(path)
        let folder = path.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
        let home = folder.isEmpty ? "." : folder
        for measurement in file["measurements"]?.array ?? [] {
            switch measurement["name"]?.string {
            case "drift": try TextOutput.write(drift(measurement).text, to: home + "/drift.svg")
            case "throughput": try TextOutput.write(throughput(measurement).text, to: home + "/throughput.svg")
            case "growth":
                for (series, label) in growths {
                    try TextOutput.write(
                        growth(measurement, series, label).text,
                        to: "\(home)/growth-\(label.file).svg"
                    )
                }
            case "schedulers": try TextOutput.write(schedulers(measurement).text, to: home + "/schedulers.svg")
            default: break
            }
        }
    }

    private static let growths = [
        (
            "due a second",
            (file: "due", x: "due a second; what is used when nothing is due is taken off", isLogarithmic: true)
        ),
        ("jobs held", (file: "held", x: "jobs held, 1,000 of them due every second", isLogarithmic: true)),
        ("workers", (file: "workers", x: "workers", isLogarithmic: false)),
    ]

    /// The cost of an execution by component.
    private static func growth(
        _ measurement: JSONValue,
        _ series: String,
        _ label: (file: String, x: String, isLogarithmic: Bool)
    ) -> Chart {
        var chart = Chart(
            title: "CPU of one execution",
            x: Axis(label: label.x, isLogarithmic: label.isLogarithmic),
            y: Axis(label: "microseconds", isLogarithmic: series == "due a second")
        )
        for component in ["scheduler", "worker", "postgres"] {
            let points = (measurement["series"]?[series]?.array ?? []).compactMap { point -> (x: Double, y: Double)? in
                let values = (point["levels"]?.array ?? []).compactMap { $0["cpu_us"]?[component]?.double }
                return point["at"]?.double.map { ($0, Samples(values).median) }
            }
            chart.lines.append((component, points))
        }
        return chart
    }

    /// Executions per second of each scheduler at its best level.
    private static func schedulers(_ measurement: JSONValue) -> Bars {
        let end = ": kept up"
        let bars = (measurement["figures"]?.array ?? []).compactMap { figure -> (name: String, value: Double)? in
            guard let name = figure["name"]?.string, name.hasSuffix(end) else { return nil }
            return figure["median"]?.double.map { (String(name.dropLast(end.count)), $0) }
        }
        return Bars(title: "Executions a second that are kept up with", bars: bars)
    }

    /// The share of calls that had started, by the delay after their due time.
    private static func drift(_ measurement: JSONValue) -> Chart {
        var chart = Chart(
            title: "How late calls start",
            x: Axis(label: "milliseconds after the due time", isLogarithmic: true),
            y: Axis(label: "% of the calls have started")
        )
        guard case .object(let series)? = measurement["series"] else { return chart }
        for each in series {
            let values = (each.value.array ?? []).compactMap(\.double)
            let points = values.enumerated().map { index, value in
                (x: max(value, 0.01), y: 100 * Double(index) / Double(max(1, values.count - 1)))
            }
            // drift_1000, or drift_1000_slots_1024 if the number of slots is not the default.
            let words = each.name.split(separator: "_")
            let slots = words.count == 4 ? ", \(words[3]) slots" : ""
            chart.lines.append(((words.count > 1 ? "\(words[1]) at once" : each.name) + slots, points))
        }
        return chart
    }

    /// Recorded executions by due executions, and the limit of bare libcurl.
    private static func throughput(_ measurement: JSONValue) -> Chart {
        var chart = Chart(
            title: "Executions a second",
            x: Axis(label: "due a second"),
            y: Axis(label: "recorded a second")
        )
        let levels = measurement["series"]?["levels"]?.array ?? []
        let points = levels.compactMap { level -> (x: Double, y: Double)? in
            guard let due = level["due"]?.double, let recorded = level["recorded"]?.double else { return nil }
            return (due, recorded)
        }
        chart.lines.append(("recorded", points))
        let first = measurement["figures"]?.array?.first
        if let limit = first?["limit_median"]?.double, let last = points.last {
            chart.lines.append(("bare libcurl, same target", [(0, limit), (last.x, limit)]))
            chart.lines.append(("a third of it", [(0, limit * 0.33), (last.x, limit * 0.33)]))
        }
        return chart
    }
}
