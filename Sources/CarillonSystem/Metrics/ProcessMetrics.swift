internal import CarillonCore
internal import CarillonRuntime
internal import Glibc

/// The standard process metrics of Prometheus's client libraries, from /proc/self
/// (https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics).
enum ProcessMetrics {
    static func register(in registry: MetricsRegistry) {
        registry.counter("process_cpu_seconds_total", help: "User and system CPU time spent, in seconds.") {
            var usage = rusage()
            guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return nil }
            return seconds(usage.ru_utime) + seconds(usage.ru_stime)
        }
        registry.gauge("process_resident_memory_bytes", help: "Resident memory, in bytes.") {
            statistic(21).map { $0 * Double(sysconf(Int32(_SC_PAGESIZE))) }
        }
        registry.gauge("process_virtual_memory_bytes", help: "Virtual memory, in bytes.") { statistic(20) }
        registry.gauge("process_threads", help: "Threads of the process.") { statistic(17) }
        registry.gauge("process_open_fds", help: "Open file descriptors.") { openDescriptors() }
        registry.gauge("process_max_fds", help: "The limit of open file descriptors.") {
            var limit = rlimit()
            guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
            return Double(limit.rlim_cur)
        }
        let startedAt = startTime()
        registry.gauge("process_start_time_seconds", help: "Start of the process, in seconds since 1970.") {
            startedAt
        }
    }

    private static func seconds(_ time: timeval) -> Double {
        Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000
    }

    /// When the kernel started the process, by the current wall clock.
    private static func startTime() -> Double? {
        guard let ticks = statistic(19) else { return nil }
        let sinceBoot = ticks / Double(sysconf(Int32(_SC_CLK_TCK)))
        let now = SystemClock.now()
        return Double(now.wall.milliseconds) / 1000 - (Double(now.boot.nanoseconds) / 1e9 - sinceBoot)
    }

    /// A field of /proc/self/stat, where the state is field 0 (proc(5) counts it as 3). The name before it is in parentheses and may
    /// contain anything.
    private static func statistic(_ index: Int) -> Double? {
        guard let text = contents(of: "/proc/self/stat"), let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        guard index < fields.count else { return nil }
        return Double(fields[index])
    }

    private static func openDescriptors() -> Double? {
        guard let directory = opendir("/proc/self/fd") else { return nil }
        defer { closedir(directory) }
        var count = 0
        while readdir(directory) != nil { count += 1 }
        // Without the two entries of every directory, and the descriptor used for reading it.
        return Double(max(0, count - 3))
    }

    private static func contents(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
            let count = read(descriptor, buffer.baseAddress, buffer.count)
            return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
        }
    }
}
