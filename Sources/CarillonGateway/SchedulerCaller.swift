package import CarillonCore
package import CarillonRPC
package import CarillonWire

/// What the gateway needs of the protocol: any request by its name, with arguments and answers as JSON.
package protocol SchedulerCaller: Sendable {
    /// - Parameters:
    ///   - name: of the request in the envelope (`create_job`).
    ///   - timeout: `nil`: what suits the request.
    func call(_ name: String, _ arguments: JSONValue, timeout: Duration?) async throws(ClientError) -> JSONValue
    /// The schedulers that it is connected to.
    var peers: [RPCClient.Peer] { get }
}

extension RPCClient: SchedulerCaller {}
