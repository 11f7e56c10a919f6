internal import CarillonJSON
internal import CarillonSystem

/// What the probes say.
struct Health: Sendable {
    /// What the scheduler that answered knows; `nil`: none did.
    var cluster: JSONValue?
    /// Why not.
    var refusal: String?

    var answers: Bool { cluster != nil }

    var schedulerRunning: Bool {
        // A standby knows who holds the lease.
        cluster?["leading"] == .bool(true) || cluster?["leader_address"]?.string != nil
    }

    var workers: [JSONValue] { cluster?["workers"]?.array ?? [] }

    var workerPoolActive: Bool { workers.contains { $0["draining"] != .bool(true) } }

    var isUp: Bool { problem == nil }

    /// What is wrong, in words.
    var problem: String? {
        if let refusal { return refusal }
        if let problem = cluster?["problem"]?.string { return problem }
        if cluster?["database_connected"] == .bool(false) {
            return "the scheduler waits for its database; its /readyz and its log say why"
        }
        if !schedulerRunning { return "no scheduler leads; a take-over lasts a few seconds, and needs the database" }
        if workers.isEmpty { return "no worker is connected; nothing is called until one is" }
        return workerPoolActive ? nil : "every worker is being stopped, and takes no more calls"
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
    /// A probe that waits long is as bad as one that says no.
    static let probeTimeout: Duration = .seconds(2)

    func health() async -> Health {
        do throws(Problem) {
            return Health(cluster: try await call("get_cluster", [], timeout: Gateway.probeTimeout))
        } catch {
            return Health(refusal: error.detail)
        }
    }
}
