import CarillonCore
import TestSupport

/// Clients after the database's history went back: what they were told may be lost.
extension Clients {
    /// How often that happened: an answer to what was asked before may be about a state that is gone.
    var losses: Int { world.database.lossCount }

    func historyWentBack() {
        for (id, version) in answeredVersions { answeredVersions[id] = min(version, store.jobs[id]?.version ?? 0) }
        let tags = Set(store.jobs.values.flatMap(\.tags))
        created.removeAll { !tags.contains($0) }
    }
}
