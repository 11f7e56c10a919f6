import Glibc
import TestSupport

/// A wall clock of its own for the processes that are started with its environment; it can be set while they run. The other
/// clocks stay true.
final class FakeClock: Sendable {
    private static let library: String? = ["x86_64", "aarch64"]
        .map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketimeMT.so.1" }.first { access($0, R_OK) == 0 }

    static var isInstalled: Bool { library != nil }

    private let folder: String

    init() throws {
        var template = Array("/tmp/carillon-clock-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestSystem.Failure(description: "no directory can be made in /tmp")
        }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // PostgreSQL runs as another user.
        chmod(folder, 0o755)
        try set(0)
    }

    deinit { _ = try? ChildProgram.run("/bin/rm", ["-rf", folder]) }

    var environment: [String: String] {
        [
            "LD_PRELOAD": Self.library ?? "", "FAKETIME_TIMESTAMP_FILE": folder + "/offset", "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
        ]
    }

    /// Sets the clock to so many seconds before or after the true time.
    func set(_ seconds: Double) throws {
        let text = (seconds < 0 ? "" : "+") + "\(seconds)\n"
        guard let file = fopen(folder + "/next", "w") else {
            throw TestSystem.Failure(description: "\(folder)/next cannot be written")
        }
        fputs(text, file)
        fclose(file)
        chmod(folder + "/next", 0o644)
        // Whoever reads it meanwhile sees the old file or the new one.
        rename(folder + "/next", folder + "/offset")
    }

    /// What a program started now takes for the time, less the true time.
    func shift() throws -> Int {
        let words = environment.map { "\($0.key)=\($0.value)" }
        let text = try ChildProgram.run("/usr/bin/env", words + ["/bin/date", "+%s"])
        return (Int(text) ?? 0) - Int(time(nil))
    }

    /// Whether a process runs under a fake clock.
    static func holds(_ program: ChildProgram?) -> Bool {
        guard let program else { return false }
        return TextFile.contents(of: "/proc/\(program.pid)/maps").contains("libfaketime")
    }
}
