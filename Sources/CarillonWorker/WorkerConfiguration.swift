package import CarillonCore

/// The settings of a worker process.
package struct WorkerConfiguration: Sendable {
    /// Identifies the worker across restarts.
    package var name: String
    /// Random, new at each start.
    package var bootID: UniqueID
    package var version: String
    package var engine: WorkerEngineConfiguration

    package init(name: String, bootID: UniqueID, maxWorkers: Int, version: String) {
        self.name = name
        self.bootID = bootID
        self.version = version
        engine = WorkerEngineConfiguration(maxWorkers: maxWorkers, userAgent: "Carillon/\(version)")
    }
}
