import Glibc
import TestSupport

/// The kernel's statistics of a process.
enum ProcessFacts {
    /// CPU seconds of all threads so far.
    static func cpu(_ pid: Int32) -> Double {
        // Precise to the nanosecond, while /proc counts hundredths of a second.
        var clock = clockid_t()
        var time = timespec()
        guard clock_getcpuclockid(pid, &clock) == 0, clock_gettime(clock, &time) == 0 else { return 0 }
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// CPU seconds of a process and all its children, including ended ones.
    static func cpuOfTree(_ pid: Int32) -> Double {
        cpu(pid) + seconds(fields(pid), from: 13, to: 14) + children(of: pid).reduce(0) { $0 + cpu($1) }
    }

    /// Resident memory in MB.
    static func residentMB(_ pid: Int32) -> Double {
        Double(number("VmRSS:", in: TextFile.contents(of: "/proc/\(pid)/status"))) / 1_024
    }

    /// The number of context switches of each thread so far.
    static func switches(_ pid: Int32) -> [String: Int] {
        let threads = names(in: "/proc/\(pid)/task").map { thread in
            let text = TextFile.contents(of: "/proc/\(pid)/task/\(thread)/status")
            let count = number("voluntary_ctxt_switches:", in: text) + number("nonvoluntary_ctxt_switches:", in: text)
            return (thread, count)
        }
        return Dictionary(uniqueKeysWithValues: threads)
    }

    /// The number of context switches since an earlier reading. The last switches of ended threads are not counted.
    static func switches(_ pid: Int32, since earlier: [String: Int]) -> Int {
        switches(pid).reduce(0) { $0 + $1.value - earlier[$1.key, default: 0] }
    }

    static func children(of pid: Int32) -> [Int32] {
        names(in: "/proc/\(pid)/task").flatMap { thread in
            TextFile.contents(of: "/proc/\(pid)/task/\(thread)/children").split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// The number after a word at the start of a line.
    static func number(_ word: String, in text: String) -> Int {
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix(word) }) else { return 0 }
        return Int(line.dropFirst(word.count).filter(\.isNumber)) ?? 0
    }

    /// The fields after the name in /proc/PID/stat, starting with the state.
    private static func fields(_ pid: Int32) -> [Substring] {
        let text = TextFile.contents(of: "/proc/\(pid)/stat")
        return text.lastIndex(of: ")").map { text[text.index(after: $0)...].split(separator: " ") } ?? []
    }

    private static func seconds(_ fields: [Substring], from first: Int, to last: Int) -> Double {
        guard fields.count > last else { return 0 }
        return fields[first...last].reduce(0) { $0 + (Double($1) ?? 0) } / Double(sysconf(Int32(_SC_CLK_TCK)))
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var found: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.first?.isNumber == true { found.append(name) }
        }
        return found
    }
}
