internal import CarillonJSON
internal import CarillonSystem

/// The state that the probes report.
struct Health: Sendable {
    /// The cluster as the answering scheduler sees it; `nil` if no scheduler answered.
    var cluster: JSONValue?
    /// The reason why no scheduler answered.
    var refusal: String?

    var answers: Bool { cluster != nil }

    var schedulerRunning: Bool {
        // A standby knows the address of the leader.
        cluster?["leading"] == .bool(true) || cluster?["leader_address"]?.string != nil
    }

    var workers: [JSONValue] { cluster?["workers"]?.array ?? [] }

    var workerPoolActive: Bool { workers.contains { $0["draining"] != .bool(true) } }

    var isUp: Bool { problem == nil }

    /// A description of the problem; `nil` if the system is healthy.
    var problem: String? {
        if let refusal { return refusal }
        if let problem = cluster?["problem"]?.string { return problem }
        if cluster?["database_connected"] == .bool(false) {
            return "the scheduler is waiting for its database; see its /readyz and its log"
        }
        if !schedulerRunning { return "no scheduler leads; a take-over takes a few seconds and needs the database" }
        if workers.isEmpty { return "no worker is connected; no calls are made until a worker connects" }
        return workerPoolActive ? nil : "all workers are draining and accept no more calls"
    }

    func document(isUp: Bool) -> JSONValue {
        [
            "status": isUp ? "UP" : "DOWN",
            "scheduler_running": .bool(schedulerRunning),
            "worker_pool_active": .bool(workerPoolActive),
            "database_connected": cluster?["database_connected"] ?? false,
            "workers": .integer(Int64(workers.count)),
            "leader_address": cluster?["leader_address"] ?? .null,
            "open_executions": cluster?["open_executions"] ?? .null,
            "version": .string(CarillonVersion.current),
            "detail": isUp ? .null : problem.map(JSONValue.string) ?? .null,
        ]
    }
}

extension Gateway {
    /// The time limit of a probe. A probe that takes longer counts as failed.
    static let probeTimeout: Duration = .seconds(2)

    func health() async -> Health {
        do throws(Problem) {
            return Health(cluster: try await call("get_cluster", [], timeout: Gateway.probeTimeout))
        } catch {
            return Health(refusal: error.detail)
        }
    }
}
