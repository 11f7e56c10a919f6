package import CarillonCore
package import CarillonRuntime
internal import NIOCore

extension HostPort {
    /// - Throws: `invalidArgument` with an example of the expected form.
    package init(parsing text: String) throws(ClientError) {
        guard let address = HostPort(text) else {
            throw ClientError(
                .invalidArgument,
                "\"\(text)\" is not host:port, such as 127.0.0.1:7070 or [::1]:7070",
                retryable: false
            )
        }
        self = address
    }

    static func text(_ address: SocketAddress) -> String {
        guard let ip = address.ipAddress, let port = address.port else { return "\(address)" }
        return HostPort(host: ip, port: port).description
    }
}
