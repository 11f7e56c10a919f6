import CarillonClient
import CarillonJSON
import CarillonRPC
import CarillonWire
import TestSupport
import Testing

/// Real programs whose standard output cannot be written, or whose reader closes the pipe.
@Suite(.serialized, .alone, .timeLimit(.minutes(5)))
struct CommandOutputTests {
    private static let message = "error: standard output cannot be written: No space left on device\nstatus 74"

    /// Runs a shell command in which `carillon` is the program under test, and returns standard error and the exit
    /// status.
    private func shell(_ bin: String, _ command: String) throws -> String {
        let script = "carillon() { \"$0/carillon\" \"$@\"; }; \(command); echo status $?"
        return try ChildProgram.run("/bin/sh", ["-c", "{ \(script); } 2>&1", bin])
    }

    @Test func aFullDevice() async throws {
        let system = try await TestSystem(workers: 0)
        do {
            try await system.start()
            for name in ["first", "second"] {
                _ = try await system.client.call(
                    "create_job",
                    ["schedule": "@daily", "api_url": .string(system.target.url("/ok")), "name": .string(name)]
                )
            }
            let schedulers = "--schedulers 127.0.0.1:\(system.schedulerPorts[0])"
            for arguments in [
                "job list --all -o json", "job list", "job get first", "execution stats first", "cluster",
            ] {
                #expect(try shell(system.bin, "carillon \(arguments) \(schedulers) >/dev/full") == Self.message)
            }
            let piped = try shell(system.bin, "carillon job list --all -o json \(schedulers) | head -c 1 >/dev/null")
            #expect(piped == "status 0")
            let names = try shell(
                system.bin,
                "carillon ---completion job get -- positional@0 4 1 carillon \(schedulers) job get s"
            )
            #expect(names == "second\nstatus 0")
            try await system.stop()
        } catch {
            try? await system.stop()
            throw error
        }
    }

    @Test func commandsWithoutAScheduler() throws {
        let bin = try TestSystem.programs()
        for arguments in ["--help", "--version", "cron next @daily", "cron check @daily", "completions bash"] {
            #expect(try shell(bin, "carillon \(arguments) >/dev/full") == Self.message, "\(arguments)")
        }
        let closed = try shell(bin, "carillon --version >&-")
        #expect(closed == "error: standard output cannot be written: Bad file descriptor\nstatus 74")
    }

    /// A script that waits for the ready line would wait forever.
    @Test func upStopsInOrder() throws {
        let run = try LocalRun()
        let text = try shell(
            run.bin,
            "carillon up --data-dir \(run.data) --gateway 127.0.0.1:0 --rpc 127.0.0.1:0 >/dev/full"
        )
        #expect(text.hasSuffix(Self.message), "\(text)")
    }
}
