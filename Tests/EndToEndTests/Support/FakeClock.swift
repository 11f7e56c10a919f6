import Glibc
import TestSupport

/// A fake wall clock for processes that are started with its environment. It can be set while they run. Their other
/// clocks are not changed.
final class FakeClock: Sendable {
    private static let library: String? = ["x86_64", "aarch64"]
        .map { "/usr/lib/\($0)-linux-gnu/faketime/libfaketimeMT.so.1" }.first { access($0, R_OK) == 0 }

    static var isInstalled: Bool { library != nil }

    private let folder: String

    init() throws {
        var template = Array("/tmp/carillon-clock-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestSystem.Failure(description: "cannot create a directory in /tmp")
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

    /// Sets the clock to this number of seconds before or after the true time.
    func set(_ seconds: Double) throws {
        let text = (seconds < 0 ? "" : "+") + "\(seconds)\n"
        guard let file = fopen(folder + "/next", "w") else {
            throw TestSystem.Failure(description: "\(folder)/next cannot be written")
        }
        fputs(text, file)
        fclose(file)
        chmod(folder + "/next", 0o644)
        // A concurrent reader sees the old file or the new file.
        rename(folder + "/next", folder + "/offset")
    }

    /// The difference between the time of a newly started program and the true time.
    func shift() throws -> Int {
        let words = environment.map { "\($0.key)=\($0.value)" }
        let text = try ChildProgram.run("/usr/bin/env", words + ["/bin/date", "+%s"])
        return (Int(text) ?? 0) - Int(time(nil))
    }

    /// Whether a process uses a fake clock.
    static func holds(_ program: ChildProgram?) -> Bool {
        guard let program else { return false }
        return TextFile.contents(of: "/proc/\(program.pid)/maps").contains("libfaketime")
    }
}
