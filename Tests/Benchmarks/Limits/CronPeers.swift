import Glibc
import TestSupport

/// Other installed cron libraries with the same work on the same machine (`CronPeers/`).
enum CronPeers {
    /// Figures of cronsim and croniter (Python) and robfig/cron (Go), in nanoseconds a step.
    static func figures(rounds: Int) -> [Figure] {
        let folder = "Tests/Benchmarks/CronPeers"
        guard access(folder, R_OK) == 0 else { return [] }
        let go = "cd \(folder) && GO111MODULE=off GOPATH=/usr/share/gocode exec go run speed.go \(rounds)"
        let texts = ["exec python3 \(folder)/speed.py \(rounds)", go].map { command in
            // A library that is not installed is left out; its program reports that on standard error.
            (try? ChildProgram.run("/bin/sh", ["-c", command + " 2>/dev/null"], folder: currentFolder())) ?? ""
        }
        var order: [String] = []
        var samples: [String: [Double]] = [:]
        for line in texts.joined(separator: "\n").split(separator: "\n") {
            let cells = line.split(separator: "\t").map(String.init)
            guard cells.count == 4, let nanoseconds = Double(cells[3]) else { continue }
            let name = "\(cells[0]): next \(cells[1]) in \(cells[2])"
            if samples[name] == nil { order.append(name) }
            samples[name, default: []].append(nanoseconds)
        }
        return order.map { Figure($0, "ns", samples[$0] ?? []) }
    }
}
