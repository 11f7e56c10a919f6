internal import CarillonJSON
internal import CarillonSystem
internal import HTTPTypes

/// The status page for browsers. The page has no script; the browser reloads it every few seconds.
enum StatusPage {
    static let headers = HTML.headers(style: style)

    static func render(_ snapshot: Snapshot) -> String {
        let health = snapshot.health
        return """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
            <meta http-equiv="refresh" content="5"><title>Carillon: \(health.isUp ? "UP" : "DOWN")</title>
            <style>\(style)</style></head><body><main>
            <header><h1>Carillon <span class="dim">\(HTML.escape(CarillonVersion.current))</span></h1>
            <p><a href="/docs">API reference</a> · <a href="/health">health</a> · <a href="/metrics">metrics</a> · \
            <a href="/api/v1/cluster">cluster</a></p></header>
            \(banner(health))
            \(figures(health, snapshot.jobCount))
            <h2>Workers</h2>
            \(workers(health.workers))
            <h2>Jobs</h2>
            \(jobs(snapshot))
            <h2>Recent failures</h2>
            \(failures(snapshot.failures))
            </main></body></html>
            """
    }

    private static func banner(_ health: Health) -> String {
        let text =
            if let problem = health.problem {
                "DOWN: \(problem)"
            } else {
                "UP. \(health.cluster?["leader_address"]?.string ?? "A scheduler") leads."
            }
        return "<p class=\"banner \(health.isUp ? "up" : "down")\">\(HTML.escape(text))</p>"
    }

    private static func figures(_ health: Health, _ jobs: Int64?) -> String {
        let cluster = health.cluster
        let figures: [(String, String)] = [
            ("jobs", cell(jobs.map(JSONValue.integer) ?? cluster?["jobs"])), ("active", cell(cluster?["active_jobs"])),
            ("open executions", cell(cluster?["open_executions"])),
            ("waiting for a slot", cell(cluster?["ready_queue_depth"])), ("epoch", cell(cluster?["epoch"])),
            ("database", cluster?["database_connected"] == .bool(true) ? "connected" : "away"),
            ("cluster time", time(cluster?["cluster_time"], clockOnly: true)),
        ]
        return "<div class=\"figures\">"
            + figures.map { "<div class=\"panel\"><b>\($0.1)</b><span class=\"dim\">\($0.0)</span></div>" }.joined()
            + "</div>"
    }

    private static func workers(_ workers: [JSONValue]) -> String {
        table(
            ["name", "address", "in flight", "free", "clock skew", "version"],
            workers.map { worker in
                let name =
                    cell(worker["name"])
                    + (worker["draining"] == .bool(true) ? " <span class=\"warn\">draining</span>" : "")
                let skew = worker["skew_ms"].map { cell($0) + " ms" } ?? "–"
                return [
                    name, cell(worker["address"]), "\(cell(worker["in_flight"])) of \(cell(worker["max_workers"]))",
                    cell(worker["free_slots"]), skew, cell(worker["version"]),
                ]
            },
            empty: "no worker is connected"
        )
    }

    private static func jobs(_ snapshot: Snapshot) -> String {
        if let problem = snapshot.problem { return "<p class=\"bad\">\(HTML.escape(problem))</p>" }
        let rows = snapshot.jobs.map { line -> [String] in
            let job = line.job
            let id = job["job_id"]?.string ?? ""
            let name = job["name"]?.string ?? id
            let next = job["active"] == .bool(false) ? "<span class=\"dim\">paused</span>" : time(job["next_run_time"])
            return [
                "<a href=\"/api/v1/jobs/\(HTML.escape(id))\">\(HTML.escape(name))</a>",
                "<span class=\"mono\">\(cell(job["schedule"]))</span><div class=\"dim\">\(cell(job["schedule_description"]))</div>",
                "<span class=\"url\">\(cell(job["api_url"]))</span>", next,
                line.latest.map { status($0) + "<div class=\"dim\">\(time($0["scheduled_time"]))</div>" }
                    ?? "<span class=\"dim\">–</span>",
            ]
        }
        let shown = table(["job", "schedule", "calls", "next run", "last"], rows, empty: "no jobs yet")
        guard let count = snapshot.jobCount, count > Int64(rows.count) else { return shown }
        return shown
            + "<p class=\"dim\">The newest \(rows.count) of \(count): <a href=\"/api/v1/jobs\">all jobs</a></p>"
    }

    private static func failures(_ failures: [JSONValue]) -> String {
        table(
            ["due", "job", "status", "attempts", "HTTP", "error"],
            failures.map { execution in
                let job = execution["job_id"]?.string ?? ""
                let id = execution["execution_id"]?.string ?? ""
                let path = HTML.escape("/api/v1/executions/\(job)/\(id)")
                return [
                    "<a href=\"\(path)\">\(time(execution["scheduled_time"]))</a>",
                    "<span class=\"mono\">\(cell(execution["job_id"]))</span>",
                    status(execution), cell(execution["attempts"]), cell(execution["http_status"]),
                    cell(execution["error_message"] == .null ? execution["reason"] : execution["error_message"]),
                ]
            },
            empty: "none"
        )
    }

    // MARK: Parts

    private static func status(_ execution: JSONValue) -> String {
        let word = execution["status"]?.string ?? ""
        let kind =
            switch word {
            case "SUCCESS": "good"
            case "FAILED", "UNKNOWN": "bad"
            case "RETRYING", "SKIPPED", "CANCELLED": "warn"
            default: "dim"
            }
        return "<span class=\"\(kind)\">\(HTML.escape(word))</span>"
    }

    /// A value as text, escaped.
    private static func cell(_ value: JSONValue?) -> String {
        switch value {
        case nil, .null: "–"
        case .string(let text): HTML.escape(String(text.prefix(300)))
        case .some(let other): HTML.escape(JSONText.write(other))
        }
    }

    /// 2026-01-05T08:30:00.217Z → 2026-01-05 08:30:00 UTC
    private static func time(_ value: JSONValue?, clockOnly: Bool = false) -> String {
        guard let text = value?.string, text.utf8.count >= 20, text.hasSuffix("Z") else { return cell(value) }
        let date = text.prefix(10)
        let clock = text.dropFirst(11).prefix(8)
        return HTML.escape(clockOnly ? "\(clock) UTC" : "\(date) \(clock) UTC")
    }

    private static func table(_ heads: [String], _ rows: [[String]], empty: String) -> String {
        guard !rows.isEmpty else { return "<p class=\"dim\">\(HTML.escape(empty))</p>" }
        let head = heads.map { "<th>\(HTML.escape($0))</th>" }.joined()
        let body = rows.map { "<tr>\($0.map { "<td>\($0)</td>" }.joined())</tr>" }.joined(separator: "\n")
        return "<div class=\"panel\"><table><tr>\(head)</tr>\n\(body)</table></div>"
    }

    private static let style =
        PageStyle.base + """

            main{max-width:1180px;margin:0 auto;padding:2rem 1.2rem 4rem}
            header{display:flex;justify-content:space-between;align-items:baseline;flex-wrap:wrap}
            .banner{padding:.8rem 1.1rem;border-radius:10px;font-weight:600;border:1px solid}
            .up{color:var(--good)}.down{color:var(--bad)}
            .figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(125px,1fr));gap:.7rem}
            .figures .panel{padding:.6rem .9rem}.figures b{display:block;font-size:1.05rem;overflow-wrap:anywhere}
            .figures span{font-size:.8rem}.url{overflow-wrap:anywhere}
            """
}
