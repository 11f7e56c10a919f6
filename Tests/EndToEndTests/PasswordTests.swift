import Glibc
import TestSupport
import Testing

@testable import CarillonCommand

/// Passwords in DATABASE_URL stay hidden in every output of the programs.
@Suite(.serialized, .alone, .timeLimit(.minutes(2)))
struct PasswordTests {
    static let invalid = [
        "postgres://bob:hunter2%zz@h/db", "postgres://bob:hunter2/x@h/db", "postgres://bob:12/hunter2@h/db",
        "postgres://bob:x@hunter2@h/db", "postgres://bob:x@h/db?hunter2=1", "host=h password=my hunter2", "hunter2",
    ]

    @Test(arguments: invalid)
    func anInvalidURLIsNotShown(_ url: String) throws {
        let run = try LocalRun()
        let scheduler = run.bin + "/carillon-scheduler"
        for words in [[scheduler], [scheduler, "migrate", "up"], [scheduler, "migrate", "status"]] {
            for text in [
                try run.run(words, environment: ["DATABASE_URL": url]), try run.run(words + ["--database-url", url]),
            ] {
                #expect(text.hasPrefix("error: DATABASE_URL cannot be read: ") && !text.contains("hunter2"), "\(text)")
                #expect(text.contains("it must look like postgresql://user:password@"), "\(text)")
                #expect(text.hasSuffix("status 64\n"), "\(text)")
            }
        }
        let text = try run.run(
            [scheduler],
            environment: ["DATABASE_URL": "postgresql:///x", "DATABASE_READ_URL": url]
        )
        #expect(text.hasPrefix("error: DATABASE_READ_URL cannot be read: ") && !text.contains("hunter2"), "\(text)")
    }

    @Test func aURLInTheWrongPlaceIsNotShown() throws {
        let run = try LocalRun()
        let url = "postgres://bob:hunter2@h/db"
        for program in ["carillon-scheduler", "carillon-worker", "carillon-gateway", "carillon"] {
            for words in [[url], ["--listen", url], ["--metrics-listen=" + url], ["--heartbeat", url], ["up", url]] {
                let text = try run.run(
                    [run.bin + "/" + program] + words,
                    environment: ["DATABASE_URL": "postgresql:///x"]
                )
                #expect(!text.contains("hunter2") && text.hasSuffix("status 64\n"), "\(program) \(words): \(text)")
            }
        }
        for option in ["--gateway", "--rpc", "--workers"] {
            let text = try run.run([run.bin + "/carillon", "up", option, url])
            #expect(text.contains("'postgres://bob:***@h/db' is invalid") && !text.contains("hunter2"), "\(text)")
        }
    }

    /// The arguments of a process are visible to every user of the machine.
    @Test func theSchedulerMovesItsURLOutOfItsArguments() async throws {
        let run = try LocalRun()
        let cluster = try PostgresCluster.shared
        let name = String(try cluster.makeDatabase().split(separator: "/").last ?? "")
        let url = "postgresql://postgres:hunter2@127.0.0.1:\(cluster.port)/\(name)"
        let log = run.folder + "/scheduler.log"
        let program = try ChildProgram(
            run.bin + "/carillon-scheduler",
            [
                "--listen", "127.0.0.1:0", "--database-url", url, "--metrics-listen=127.0.0.1:0",
                "--database-read-url=\(url)",
            ],
            output: log
        )
        while !program.text.contains("serving workers and clients"), program.isRunning {
            try await Task.sleep(for: .milliseconds(20))
        }
        let process = LocalRun.process(program.pid)
        #expect(process.name == "carillon-schedu")
        #expect(process.arguments.hasSuffix("carillon-scheduler --listen 127.0.0.1:0 --metrics-listen=127.0.0.1:0"))
        #expect(process.environment.contains("DATABASE_URL=\(url)"))
        #expect(process.environment.contains("DATABASE_READ_URL=\(url)"))
        #expect(!program.text.contains("hunter2"))
        program.signal(SIGTERM)
        while program.isRunning { try await Task.sleep(for: .milliseconds(20)) }
    }

    /// The environment allow lists contain every setting of a program, except those that `carillon up` passes as
    /// arguments.
    @Test func theAllowListsHaveEverySettingOfTheHelp() throws {
        let run = try LocalRun()
        let given: Set<String> = ["LISTEN", "METRICS_LISTEN", "SCHEDULERS", "MAX_WORKERS", "WORKER_NAME"]
        for (program, kind) in [
            ("carillon-scheduler", ChildEnvironment.schedulerOfOtherDatabase), ("carillon-worker", .worker),
            ("carillon-gateway", .gateway),
        ] {
            let help = try run.run([run.bin + "/" + program, "--help"]).split(whereSeparator: \.isWhitespace)
                .joined(separator: " ")
            // `(NAME; default: …)` and `(NAME; required)`.
            let names = help.split(separator: "(").compactMap { part -> String? in
                let name = part.prefix { $0.isASCII && ($0.isUppercase || $0.isNumber || $0 == "_") }
                return !name.isEmpty && part.dropFirst(name.count).hasPrefix(";") ? String(name) : nil
            }
            #expect(names.count >= 4 && names.contains("LOG_LEVEL"), "\(program): \(names)")
            for name in names where !given.contains(name) {
                #expect(kind.allowed.contains(name), "\(program): \(name)")
            }
        }
    }
}
