extension Measurement {
    /// The latest 50 executions of one job, through the gateway.
    static let history = Measurement(
        name: "history",
        title: "GET the latest 50 executions of one job among 10,000,000 rows (quick: 500,000)"
    ) { bench in
        let rows = bench.quick ? 500_000 : 10_000_000
        let system = try System(bench)
        try system.insertJobs(1_000, schedule: "'0 0 3 1 1 *'", url: bench.nginx.url)
        try system.psql("SELECT carillon_make_day(current_date - ahead) FROM generate_series(-1, 22) AS ahead")
        try system.psql(
            """
            INSERT INTO job_executions (execution_id, job_id, scheduled_time, shard, attempts, status, actual_start_time, finished_at,
                http_status, duration_ms, drift_ms, worker)
            SELECT overlay(carillon_first_id(at)::text PLACING lpad(to_hex(n), 12, '0') FROM 25)::uuid, job_id, at, carillon_shard(job_id), 1,
                'SUCCESS', at, at, 200, 12.5, 0.8, 'worker-1'
            FROM (SELECT row_number() OVER () - 1 AS k, job_id FROM jobs) j
            JOIN LATERAL (SELECT n, date_trunc('day', now()) - interval '20 days' + n * interval '20 days' / \(rows) AS at
                FROM generate_series(k, \(rows) - 1, 1000) AS n) s ON true
            """
        )
        try system.psql("VACUUM ANALYZE job_executions")
        try await system.start(gateway: true)
        let job = try system.psql("SELECT job_id FROM jobs OFFSET 500 LIMIT 1")
        let url = "http://127.0.0.1:\(system.gatewayPort)/api/v1/executions/\(job)?limit=50"
        let rounds = try (0..<bench.shortRounds).map { _ in try Wrk(url, connections: 1, seconds: bench.quick ? 1 : 4) }
        try await system.stop()
        return Results(figures: [
            Figure("one at a time, p50", "ms", rounds.map(\.p50Ms)),
            Figure("one at a time, p99", "ms", rounds.map(\.p99Ms), wanted: .atMost(10)),
            Figure("one at a time", "1/s", rounds.map(\.perSecond)),
        ])
    }
}
