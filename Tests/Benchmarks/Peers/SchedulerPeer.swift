import Glibc

/// Another scheduler with the same work: jobs due every second, the same target, and a history row for each call in the
/// same PostgreSQL. The programs in `Tests/Peers/Schedulers` explain their settings.
struct SchedulerPeer: Sendable {
    /// The arguments of the program.
    struct Work {
        var database: String
        var port: Int
        var target: String
        var jobs: Int
    }

    var name: String
    /// Settings that differ from the defaults.
    var settings: String
    var command: @Sendable (Work) -> [String]
    var needs: String

    var isThere: Bool { access(needs, R_OK) == 0 }

    static let all: [SchedulerPeer] = [
        apscheduler("memory"), apscheduler("postgres"), procrastinate, quartz("memory"), quartz("postgres"),
    ]

    private static let python = ".build-peers/python/bin/python"
    private static let folder = "Tests/Peers/Schedulers"

    private static func apscheduler(_ store: String) -> SchedulerPeer {
        SchedulerPeer(
            name: "APScheduler 3.11, jobs in \(store)",
            settings: "20 threads, no coalescing, 100 instances, misfire grace time 60 s; http.client, psycopg",
            command: { [python, "\(folder)/apscheduler_peer.py", $0.database, $0.target, "\($0.jobs)", store] },
            needs: ".build-peers/python/bin/python"
        )
    }

    private static let procrastinate = SchedulerPeer(
        name: "procrastinate 3.10",
        settings: "one worker, concurrency 20, LISTEN/NOTIFY; aiohttp, psycopg pool",
        command: { [python, "\(folder)/procrastinate_peer.py", $0.database, $0.target, "\($0.jobs)"] },
        needs: ".build-peers/python/bin/python"
    )

    private static func quartz(_ store: String) -> SchedulerPeer {
        let clustered = store == "postgres" ? ", clustered, acquired within the lock" : ""
        let jars = ["quartz2", "postgresql", "HikariCP", "slf4j-api", "slf4j-nop"].map { "/usr/share/java/\($0).jar" }
        return SchedulerPeer(
            name: "Quartz 2.3.2, jobs in \(store)",
            settings:
                "20 threads, 20 triggers at a time\(clustered), misfires ignored; HttpURLConnection, HikariCP",
            command: { work in
                let address =
                    "jdbc:postgresql://127.0.0.1:\(work.port)/\(work.database.split(separator: "/").last ?? "")"
                return [
                    "/usr/bin/java", "-cp", ([".build-peers/java"] + jars).joined(separator: ":"), "QuartzPeer",
                    address, "postgres", work.target, "\(work.jobs)", store,
                ]
            },
            needs: ".build-peers/java/QuartzPeer.class"
        )
    }
}
