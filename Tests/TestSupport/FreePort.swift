internal import Glibc
internal import Synchronization

/// Free TCP ports of 127.0.0.1. No port is returned twice in one process.
package enum FreePort {
    private static let taken = Mutex<Set<Int>>([])

    package static func take() throws -> Int {
        while true {
            let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(listener) }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { rebound in
                    bind(listener, rebound, length) == 0 ? getsockname(listener, rebound, &length) : -1
                }
            }
            guard code == 0 else { throw ChildProgram.Failure(description: "no free TCP port on 127.0.0.1") }
            let port = Int(UInt16(bigEndian: address.sin_port))
            if taken.withLock({ $0.insert(port).inserted }) { return port }
        }
    }
}
