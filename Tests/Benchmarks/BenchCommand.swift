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
        abstract: "Measures Carillon and compares it with the limits of the machine.",
        discussion: """
            Starts the release programs in the same folder, a separate PostgreSQL cluster that flushes to disk, and \
            nginx as the target. Tests/Benchmarks/README.md explains the figures.
            """
    )

    @Flag(help: "Fewer and shorter rounds, and smaller sizes: about 3 minutes for all measurements.")
    var quick = false

    @Option(help: ArgumentHelp("The measurements to run, separated by commas.", valueName: "names"))
    var only: String?

    @Option(help: ArgumentHelp("A JSON file; results of other measurements in it are kept.", valueName: "file"))
    var output: String?

    @Flag(help: "Compare with other schedulers and protocols, which `make bench-peers` builds.")
    var peers = false

    @Flag(help: "List the measurements.")
    var list = false

    @Option(
        help: ArgumentHelp("Draw the pictures of a JSON file into its folder, without measuring.", valueName: "file")
    )
    var report: String?

    func validate() throws {
        for name in chosen where !offered.contains(where: { $0.name == name }) {
            let names = offered.map(\.name).joined(separator: ", ")
            throw ValidationError("unknown measurement \"\(name)\"; the measurements are \(names)")
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
