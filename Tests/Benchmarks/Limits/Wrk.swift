import Glibc
import TestSupport

/// Debian's wrk, which requests one URL for a number of seconds.
struct Wrk: Sendable {
    var perSecond = 0.0
    var p50Ms = 0.0
    var p99Ms = 0.0

    static let path = "/usr/bin/wrk"
    static var isThere: Bool { access(path, X_OK) == 0 }

    init(_ url: String, connections: Int, seconds: Int) throws {
        guard Wrk.isThere else { throw Bench.Failure(description: "wrk is not installed; run: apt-get install wrk") }
        let text = try ChildProgram.run(Wrk.path, ["-t1", "-c\(connections)", "-d\(seconds)s", "--latency", url])
        guard !text.contains("Non-2xx") else {
            throw Bench.Failure(description: "\(url) does not answer 200:\n\(text)")
        }
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 2 else { continue }
            switch words[0] {
            case "Requests/sec:": perSecond = Double(words[1]) ?? .nan
            case "50%": p50Ms = Wrk.milliseconds(words[1])
            case "99%": p99Ms = Wrk.milliseconds(words[1])
            default: break
            }
        }
    }

    private static func milliseconds(_ text: Substring) -> Double {
        for (unit, factor) in [("us", 0.001), ("ms", 1.0), ("s", 1_000)] where text.hasSuffix(unit) {
            return (Double(text.dropLast(unit.count)) ?? .nan) * factor
        }
        return .nan
    }
}
