package import CarillonCore
package import CarillonJSON

/// One Ping and its Pong.
package struct RoundTrip: Sendable, Hashable {
    package var microseconds: Int64
    /// Who answered, as host:port.
    package var address: String

    package init(microseconds: Int64, address: String) {
        self.microseconds = microseconds
        self.address = address
    }
}

/// What the command line needs of the protocol: any request by its name, with arguments and answers as JSON.
package protocol SchedulerCaller: Sendable {
    /// - Parameter name: of the request in the envelope (`create_job`).
    func call(_ name: String, _ arguments: JSONValue) async throws(ClientError) -> JSONValue
    /// Each change of an execution, until the consumer stops.
    func watch(_ arguments: JSONValue) -> AsyncThrowingStream<JSONValue, any Error>
    func ping() async throws(ClientError) -> RoundTrip
}
