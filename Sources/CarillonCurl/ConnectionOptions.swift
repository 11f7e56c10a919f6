internal import CCurl

/// How connections to targets are made and kept.
struct ConnectionOptions: Sendable {
    /// Connections that are older are not used for further requests, so that changes of DNS are noticed.
    var maxAgeSeconds = 60
    /// A PEM file of the authorities that are trusted instead of the system's.
    var authorities: String?

    /// How long a resolved name is kept. It adds to the age of the connections that were made to the old address.
    var nameSeconds: Int { min(10, maxAgeSeconds) }

    /// The TLS options of a request that begins now.
    ///
    /// libcurl looks at the age of idle connections only, and requests of HTTP/2 can keep one in use without a pause. Requests
    /// share a connection only when their TLS options are the same. Two options that OpenSSL ignores change with the time, so
    /// that the requests of one period never join a connection of the period before. The periods of different targets begin at
    /// different times, so that not all connections are made anew at one instant. The connection of an AT_MOST_ONCE request has
    /// options of its own, so that no other request joins it.
    func generation(at now: Int64, url: String, atMostOnce: Bool) -> Int {
        guard Target.isTLS(url) else { return 0 }
        let (first, second) = (Int(CURLSSLOPT_NO_REVOKE), Int(CURLSSLOPT_REVOKE_BEST_EFFORT))
        if atMostOnce { return first | second }
        let length = Int64(max(1, maxAgeSeconds)) * 1_000_000_000
        var hash: UInt32 = 2_166_136_261
        // Eight bytes of the scheme, then the authority.
        for byte in url.utf8.dropFirst(8) {
            if byte == UInt8(ascii: "/") { break }
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        let period = (now + length / 1_024 * Int64(hash >> 22)) / length % 3
        return period == 0 ? 0 : period == 1 ? first : second
    }
}
