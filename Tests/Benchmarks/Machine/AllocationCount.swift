import Glibc

/// Counts what other processes allocate: a library that is preloaded into them writes into a file.
struct AllocationCount: Sendable {
    private let library: String
    private let folder: String

    init(_ bench: Bench) throws {
        library = "\(bench.programs)/libcarillon-allocations.so"
        folder = bench.folder
        guard access(library, R_OK) == 0 else {
            throw Bench.Failure(description: "\(library) is not there; run `make bench-build`")
        }
    }

    /// What a process is to be started with.
    func environment(_ name: String) -> [String: String] {
        ["LD_PRELOAD": library, "CARILLON_ALLOCATIONS": path(name)]
    }

    /// How often it has asked for memory so far.
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
