package import CarillonCore
package import CarillonJSON

/// A Ping and its Pong.
package struct RoundTrip: Sendable, Hashable {
    package var microseconds: Int64
    /// The address of the scheduler, as host:port.
    package var address: String

    package init(microseconds: Int64, address: String) {
        self.microseconds = microseconds
        self.address = address
    }
}

/// Sends RPC requests by name, with arguments and results as JSON.
package protocol SchedulerCaller: Sendable {
    /// - Parameter name: the name of the request in the envelope (`create_job`).
    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue
    /// Returns each change of an execution until the consumer stops.
    func watch(_ arguments: JSONValue) -> AsyncThrowingStream<JSONValue, any Error>
    func ping() async throws(ClientError) -> RoundTrip
}
