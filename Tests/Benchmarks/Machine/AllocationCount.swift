import Glibc

/// Counts allocations of other processes: a preloaded library writes the count to a file.
struct AllocationCount: Sendable {
    private let library: String
    private let folder: String

    init(_ bench: Bench) throws {
        library = "\(bench.programs)/libcarillon-allocations.so"
        folder = bench.folder
        guard access(library, R_OK) == 0 else {
            throw Bench.Failure(description: "\(library) does not exist; run `make bench-build`")
        }
    }

    /// The environment for a process to count.
    func environment(_ name: String) -> [String: String] {
        ["LD_PRELOAD": library, "CARILLON_ALLOCATIONS": path(name)]
    }

    /// The number of allocations so far.
    func value(_ name: String) throws -> Double {
        guard let file = fopen(path(name), "r") else { throw Bench.Failure(description: "\(name) counts nothing") }
        defer { fclose(file) }
        var count: UInt = 0
        guard fread(&count, MemoryLayout<UInt>.size, 1, file) == 1, count > 0 else {
            throw Bench.Failure(description: "\(name) counts nothing")
        }
        return Double(count)
    }

    private func path(_ name: String) -> String { "\(folder)/\(name).allocations" }
}
