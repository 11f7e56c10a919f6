internal import CarillonRuntime
internal import Glibc

/// Finds free TCP ports of this machine.
enum Ports {
    /// The system's reason why listening on the address fails; `nil` if it succeeds.
    static func problem(with address: HostPort) -> String? {
        do throws(FileProblem) {
            _ = try bind(address)
            return nil
        } catch {
            return error.description
        }
    }

    /// A free port of the host.
    static func free(on host: String) throws(FileProblem) -> Int {
        try bind(HostPort(host: host, port: 0))
    }

    /// The given port, or any free port if it is taken.
    static func free(on host: String, preferring port: Int) throws(FileProblem) -> Int {
        problem(with: HostPort(host: host, port: port)) == nil ? port : try free(on: host)
    }

    /// A port to use across restarts. It is below the range of outgoing connections (32768 and up by default), so that
    /// no outgoing connection can occupy it.
    static func lasting(
        on host: String,
        using random: inout some RandomNumberGenerator
    ) throws(FileProblem) -> Int {
        for _ in 0..<100 {
            let port = Int.random(in: 20_000..<32_000, using: &random)
            if problem(with: HostPort(host: host, port: port)) == nil { return port }
        }
        return try free(on: host)
    }

    /// Listens for a moment, like a server.
    /// - Returns: the port.
    private static func bind(_ address: HostPort) throws(FileProblem) -> Int {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard code == 0, let list else {
            throw FileProblem(
                "\(address.host) is not an address of this machine (\(String(cString: gai_strerror(code))))"
            )
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(list.pointee.ai_family, list.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw FileProblem(errno: errno, "cannot create a socket") }
        defer { close(descriptor) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard Glibc.bind(descriptor, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0, listen(descriptor, 1) == 0
        else {
            throw errno == EADDRINUSE
                ? FileProblem("another program uses the address")
                : FileProblem(errno: errno, "the address cannot be used")
        }
        var bound = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &bound) { bytes -> Int32 in
            guard let base = bytes.baseAddress else { return -1 }
            return getsockname(descriptor, base.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { throw FileProblem(errno: errno, "the port cannot be read") }
        // The port is at the same position in both kinds of socket address.
        return withUnsafeBytes(of: &bound) { Int($0[2]) << 8 | Int($0[3]) }
    }
}
