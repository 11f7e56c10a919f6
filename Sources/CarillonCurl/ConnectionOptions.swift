internal import CCurl

/// Settings of connections to targets.
struct ConnectionOptions: Sendable {
    /// The age above which a connection is not reused, so that DNS changes take effect.
    var maxAgeSeconds = 60
    /// A PEM file of trusted certificate authorities, instead of the system's.
    var authorities: String?

    /// How long a resolved name is cached, in addition to the age of connections to the old address.
    var nameSeconds: Int { min(10, maxAgeSeconds) }

    /// The TLS options of a request that starts now.
    ///
    /// libcurl checks the age of idle connections only, and HTTP/2 requests can keep a connection in use. Requests share a connection
    /// only if their TLS options are equal. Two options without effect in OpenSSL therefore change with time: requests of a new period
    /// open a new connection. Periods of different targets start at different times. AT_MOST_ONCE requests have separate options.
    func generation(at now: Int64, url: String, atMostOnce: Bool) -> Int {
        guard Target.isTLS(url) else { return 0 }
        let (first, second) = (Int(CURLSSLOPT_NO_REVOKE), Int(CURLSSLOPT_REVOKE_BEST_EFFORT))
        if atMostOnce { return first | second }
        let length = Int64(max(1, maxAgeSeconds)) * 1_000_000_000
        var hash: UInt32 = 2_166_136_261
        // Skips the eight bytes of the scheme; the authority follows.
        for byte in url.utf8.dropFirst(8) {
            if byte == UInt8(ascii: "/") { break }
            hash = (hash ^ UInt32(byte)) &* 16_777_619
        }
        let period = (now + length / 1_024 * Int64(hash >> 22)) / length % 3
        return period == 0 ? 0 : period == 1 ? first : second
    }
}
