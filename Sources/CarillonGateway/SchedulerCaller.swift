internal import CarillonClient
package import CarillonCore
package import CarillonJSON
package import CarillonRPC

/// A connected scheduler.
package struct ConnectedScheduler: Sendable, Hashable {
    /// The configured address.
    package var scheduler: String
    /// The resolved address.
    package var address: String
    package var serverID: UniqueID
    package var version: String?

    package init(scheduler: String, address: String, serverID: UniqueID, version: String?) {
        self.scheduler = scheduler
        self.address = address
        self.serverID = serverID
        self.version = version
    }
}

/// Sends RPC requests by name, with arguments and results as JSON.
package protocol SchedulerCaller: Sendable {
    /// - Parameters:
    ///   - name: the name of the request in the envelope (`create_job`).
    ///   - timeout: `nil` for the default of the request.
    func call(_ name: String, _ arguments: JSONValue, timeout: Duration?) async throws(ClientError) -> JSONValue
    var connectedSchedulers: [ConnectedScheduler] { get }
}

extension RPCClient: SchedulerCaller {
    package var connectedSchedulers: [ConnectedScheduler] {
        peers.map {
            ConnectedScheduler(
                scheduler: $0.scheduler,
                address: $0.address,
                serverID: $0.serverID,
                version: $0.version
            )
        }
    }
}
