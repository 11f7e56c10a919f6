import Glibc
import TestSupport

/// The resident memory of a process in megabytes.
enum Memory {
    static func now(of program: ChildProgram?) -> Double { figure("VmRSS", program) }
    /// The maximum since `forgetPeak`.
    static func peak(of program: ChildProgram?) -> Double { figure("VmHWM", program) }

    static func forgetPeak(of program: ChildProgram?) {
        guard let program, let file = fopen("/proc/\(program.pid)/clear_refs", "w") else { return }
        fputs("5\n", file)
        fclose(file)
    }

    private static func figure(_ name: String, _ program: ChildProgram?) -> Double {
        guard let program else { return 0 }
        for line in TextFile.contents(of: "/proc/\(program.pid)/status").split(separator: "\n")
        where line.hasPrefix(name) {
            return (Double(line.filter(\.isNumber)) ?? 0) / 1_024
        }
        return 0
    }
}
