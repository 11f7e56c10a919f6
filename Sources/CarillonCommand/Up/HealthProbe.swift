internal import CarillonCore
internal import CarillonRuntime
internal import Glibc

/// Sends GET /health to the gateway over a plain socket.
enum HealthProbe {
    /// `nil` if the response is 200, otherwise a description of the problem.
    /// - Parameter hasWorkers: `false` if no workers are started here; then a leading scheduler is sufficient.
    static func problem(at address: HostPort, hasWorkers: Bool, timeoutMs: Int64 = 1_000) -> String? {
        guard let answer = get("/health", at: address, timeoutMs: timeoutMs) else {
            return "http://\(address)/health did not answer within \(DurationArgument(milliseconds: timeoutMs))"
        }
        let words = answer.split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1].prefix(3)) else {
            return "the server at http://\(address) is not an HTTP server"
        }
        guard status != 200 else { return nil }
        let body = answer.split(separator: "\r\n\r\n", maxSplits: 1).dropFirst().first ?? ""
        if !hasWorkers, body.contains("\"scheduler_running\":true") { return nil }
        return "http://\(address)/health answers \(status) \(TerminalText.line(String(body.prefix(300))))"
    }

    private static func get(_ path: String, at address: HostPort, timeoutMs: Int64) -> String? {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(address.host, String(address.port), &hints, &list) == 0, let list else { return nil }
        defer { freeaddrinfo(list) }
        let descriptor = socket(list.pointee.ai_family, list.pointee.ai_socktype | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: Int(timeoutMs / 1000), tv_usec: Int(timeoutMs % 1000 * 1000))
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
        guard connect(descriptor, list.pointee.ai_addr, list.pointee.ai_addrlen) == 0 else { return nil }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: \(address)\r\nConnection: close\r\n\r\n".utf8)
        guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else { return nil }
        var answer: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let end = SystemClock.bootTime() + timeoutMs
        while answer.count < 65_536, SystemClock.bootTime() < end {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { break }
            answer.append(contentsOf: buffer[..<count])
        }
        return answer.isEmpty ? nil : String(decoding: answer, as: UTF8.self)
    }
}
