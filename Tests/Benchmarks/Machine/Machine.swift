import CCurl
import CarillonJSON
import CarillonSystem
import Glibc
import TestSupport

/// The machine that the figures were measured on.
struct Machine: Sendable {
    var cores: Int
    var processor: String
    var memoryMB: Int
    var kernel: String
    var versions: [(name: String, version: String)]

    static var here: Machine {
        var names = utsname()
        uname(&names)
        let release = withUnsafeBytes(of: names.release) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        let model = TextFile.contents(of: "/proc/cpuinfo").split(separator: "\n").first { $0.hasPrefix("model name") }
        let memory = ProcessFacts.number("MemTotal:", in: TextFile.contents(of: "/proc/meminfo"))
        return Machine(
            cores: ProcessorCount.online,
            processor: model.flatMap { $0.split(separator: ":").last }.map { String($0.dropFirst()) } ?? "unknown",
            memoryMB: memory / 1_024,
            kernel: release,
            versions: [
                ("carillon", CarillonVersion.current), ("swift", firstLine("/usr/bin/env", ["swift", "--version"])),
                ("postgres", firstLine("/usr/bin/env", ["psql", "--version"])),
                ("libcurl", String(cString: curl_version())), ("nginx", firstLine(Nginx.path, ["-v"])),
            ]
        )
    }

    /// The load average of the last minute.
    static var load: Double {
        Double(TextFile.contents(of: "/proc/loadavg").split(separator: " ").first ?? "") ?? .nan
    }

    var text: String {
        let list = versions.map { "\($0.name): \($0.version)" }.joined(separator: "\n")
        return "\(cores) cores, \(processor), \(memoryMB) MB, Linux \(kernel), load \(Self.load.short)\n\(list)"
    }

    var json: JSONValue {
        [
            "cores": .integer(Int64(cores)), "processor": .string(processor), "memory_mb": .integer(Int64(memoryMB)),
            "kernel": .string(kernel),
            "versions": .object(versions.map { .init($0.name, .string($0.version)) }),
        ]
    }

    private static func firstLine(_ path: String, _ arguments: [String]) -> String {
        let text = (try? ChildProgram.run(path, arguments)) ?? "unknown"
        return text.split(separator: "\n").first.map(String.init) ?? "unknown"
    }
}
