internal import CLinux
internal import Glibc

/// A TCP socket for a connection to a target.
///
/// Keep-alive probes detect a vanished peer within two minutes, and keep the connection in the tables of NATs and load balancers,
/// which drop silent connections after 350 seconds or more. TCP_USER_TIMEOUT is not set: it would end the connection of a peer
/// that reads slowly, and override the probes. Sending to a vanished peer is limited by the attempt's timeout and by the kernel.
enum OutgoingSocket {
    static let probeAfterSeconds: Int32 = 60
    static let probeEverySeconds: Int32 = 15
    static let probes: Int32 = 4

    /// The descriptor; -1 when none is free.
    static func open(family: Int32, type: Int32, protocol number: Int32) -> Int32 {
        let opened = socket(family, type | Int32(SOCK_CLOEXEC.rawValue), number)
        guard opened >= 0 else { return -1 }
        set(opened, SOL_SOCKET, SO_KEEPALIVE, 1)
        set(opened, Int32(IPPROTO_TCP), TCP_KEEPIDLE, probeAfterSeconds)
        set(opened, Int32(IPPROTO_TCP), TCP_KEEPINTVL, probeEverySeconds)
        set(opened, Int32(IPPROTO_TCP), TCP_KEEPCNT, probes)
        return opened
    }

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        setsockopt(socket, level, option, &value, socklen_t(MemoryLayout.size(ofValue: value)))
    }
}
