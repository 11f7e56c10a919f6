import CarillonCron
import CarillonJSON
import Glibc
import TestSupport

/// The results as JSON.
enum ResultFile {
    /// Writes the results of a measurement to a file; results of other measurements are kept.
    static func add(
        _ results: Measurement.Results,
        of measurement: Measurement,
        load: Double,
        _ bench: Bench,
        to path: String
    ) throws {
        var entry: [JSONValue.Member] = [
            .init("name", .string(measurement.name)), .init("title", .string(measurement.title)),
            .init("date", .string(RFC3339.format(milliseconds: Int64(Stopwatch.unixSeconds) * 1_000))),
            .init("quick", .bool(bench.quick)), .init("load_average_before", .number(load)),
            .init("figures", .array(results.figures.map(\.json))),
        ]
        if !results.series.isEmpty {
            entry.append(.init("series", .object(results.series.map { .init($0.name, $0.value) })))
        }
        var measured: [String: JSONValue] = [:]
        if access(path, R_OK) == 0 {
            for old in try read(path)["measurements"]?.array ?? [] { measured[old["name"]?.string ?? ""] = old }
        }
        measured[measurement.name] = .object(entry)
        let file: JSONValue = [
            "machine": Machine.here.json,
            "measurements": .array((Measurement.all + Measurement.peers).compactMap { measured[$0.name] }),
        ]
        try TextOutput.write(JSONText.write(file, pretty: true) + "\n", to: path)
    }

    static func read(_ path: String) throws -> JSONValue {
        do throws(JSONText.Problem) {
            return try JSONText.read(TextFile.contents(of: path))
        } catch {
            throw Bench.Failure(description: "\(path) cannot be read: \(error)")
        }
    }
}

extension JSONValue {
    /// A whole or a fractional number.
    var double: Double? {
        switch self {
        case .integer(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }
}
