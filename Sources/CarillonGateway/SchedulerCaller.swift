internal import CarillonClient
package import CarillonCore
package import CarillonJSON
package import CarillonRPC

/// A scheduler that the gateway is connected to.
package struct ConnectedScheduler: Sendable, Hashable {
    /// The configured address.
    package var scheduler: String
    /// The resolved one.
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

/// What the gateway needs of the protocol: any request by its name, with arguments and answers as JSON.
package protocol SchedulerCaller: Sendable {
    /// - Parameters:
    ///   - name: of the request in the envelope (`create_job`).
    ///   - timeout: `nil`: what suits the request.
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
