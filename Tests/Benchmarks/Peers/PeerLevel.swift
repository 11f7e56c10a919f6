import Glibc
import TestSupport

extension Level {
    /// Measures another scheduler in the same way.
    static func measure(_ bench: Bench, _ peer: SchedulerPeer, jobs: Int, seconds: Int) async throws -> Level {
        let cluster = try bench.cluster
        let database = try cluster.makeDatabase()
        try cluster.psql(
            """
            CREATE TABLE peer_history (execution_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, job_id integer NOT NULL,
                scheduled_time timestamptz NOT NULL, actual_start_time timestamptz, finished_at timestamptz, status text NOT NULL,
                http_status integer, duration_ms double precision, drift_ms double precision);
            CREATE INDEX ON peer_history (job_id, execution_id)
            """,
            url: database
        )
        let work = SchedulerPeer.Work(
            database: database,
            port: cluster.port,
            target: try bench.nginx.url,
            jobs: jobs
        )
        let output = "\(bench.folder)/peer-\(jobs)-\(Stopwatch.unixSeconds).log"
        let command = peer.command(work)
        let program = try ChildProgram(
            "/usr/bin/env",
            command,
            output: output,
            folder: bench.home
        )
        defer { program.killNow() }
        let begin = Stopwatch.now
        while !program.text.contains("ready") {
            guard program.isRunning, Stopwatch.now - begin < 120 else {
                throw Bench.Failure(description: "\(peer.name) does not start: \(program.text.suffix(2_000))")
            }
            try await Stopwatch.sleep(0.05)
        }
        // A virtual machine needs time to compile.
        try await Stopwatch.sleep(bench.quick ? 4 : 8)
        let (before, from, first) = (try PeerUse(bench, program.pid), Stopwatch.now, Stopwatch.unixSeconds)
        try await Stopwatch.sleep(Double(seconds))
        let (after, took) = (try PeerUse(bench, program.pid), Stopwatch.now - from)
        program.killNow()
        let row = try cluster.psql(
            """
            SELECT count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY drift_ms),
                percentile_disc(0.99) WITHIN GROUP (ORDER BY drift_ms)
            FROM peer_history WHERE status = 'SUCCESS'
                AND finished_at >= to_timestamp(\(first)) AND finished_at < to_timestamp(\(first + seconds))
            """,
            url: database
        ).split(separator: "|", omittingEmptySubsequences: false).map { Double($0) ?? .nan }
        guard row[0] > 0 else {
            throw Bench.Failure(description: "\(peer.name) recorded nothing: \(program.text.suffix(2_000))")
        }
        try cluster.psql("DROP DATABASE \(database.split(separator: "/").last ?? "") WITH (FORCE)")
        let recorded = row[0] / Double(seconds)
        let count = recorded * took
        return Level(
            jobs: jobs,
            recorded: recorded,
            p50: row[1],
            p99: row[2],
            cpu: [
                ("scheduler", (after.peer - before.peer) / count),
                ("postgres", (after.postgres - before.postgres) / count),
                ("target", (after.target - before.target) / count),
            ]
        )
    }
}

/// CPU seconds so far.
private struct PeerUse {
    var peer: Double
    var postgres: Double
    var target: Double

    init(_ bench: Bench, _ pid: Int32) throws {
        peer = ProcessFacts.cpuOfTree(pid)
        postgres = ProcessFacts.cpuOfTree(try bench.cluster.pid)
        target = ProcessFacts.cpu(try bench.nginx.pid)
    }
}
