import ArgumentParser
import CarillonWire
import Glibc

/// A plain function, so that nothing below it inherits the main actor of top-level code.
func benchMain() async {
    await BenchCommand.main()
}

/// The command line of the benchmarks.
struct BenchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-bench",
        abstract: "Measures Carillon beside what the machine can do at all.",
        discussion: """
            Starts the release programs that lie beside it, a PostgreSQL cluster of its own that flushes to the disk, and an \
            nginx as the target. Tests/Benchmarks/README.md says what each figure means.
            """
    )

    @Flag(help: "Fewer rounds, shorter ones, and smaller sizes: some 3 minutes for all.")
    var quick = false

    @Option(help: ArgumentHelp("The measurements to make, with commas between.", valueName: "names"))
    var only: String?

    @Option(help: ArgumentHelp("A JSON file; what it has of other measurements is kept.", valueName: "file"))
    var output: String?

    @Flag(help: "The measurements beside other schedulers and other protocols, which `make bench-peers` builds.")
    var peers = false

    @Flag(help: "List the measurements.")
    var list = false

    @Option(help: ArgumentHelp("Measure nothing: draw the pictures of a JSON file, beside it.", valueName: "file"))
    var report: String?

    func validate() throws {
        for name in chosen where !offered.contains(where: { $0.name == name }) {
            let names = offered.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no measurement \"\(name)\"; there are \(names)")
        }
    }

    private var offered: [Measurement] { peers ? Measurement.peers : Measurement.all }
    private var chosen: [String] { only?.split(separator: ",").map(String.init) ?? offered.map(\.name) }

    func run() async throws {
        if list {
            for measurement in Measurement.all + Measurement.peers {
                show("\(measurement.name.padded(14))\(measurement.title)")
            }
            return
        }
        if let report { return try Pictures.draw(from: report) }
        let bench = try Bench(quick: quick)
        show(Machine.here.text)
        var failed: [String] = []
        for measurement in offered where chosen.contains(measurement.name) {
            show("\n\(measurement.name): \(measurement.title)")
            do {
                let before = Machine.load
                let results = try await measurement.run(bench)
                for figure in results.figures { show(figure.row) }
                if let output { try ResultFile.add(results, of: measurement, load: before, bench, to: output) }
            } catch {
                failed.append(measurement.name)
                show("  failed: \(error)")
            }
        }
        bench.end()
        if !failed.isEmpty { throw ExitCode.failure }
    }
}
