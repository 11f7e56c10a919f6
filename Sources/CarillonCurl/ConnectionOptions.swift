internal import CCurl

/// How connections to targets are made and kept.
struct ConnectionOptions: Sendable {
    /// Connections that are older are not used for further requests, so that changes of DNS are noticed.
    var maxAgeSeconds = 60
    /// A PEM file of the authorities that are trusted instead of the system's.
    var authorities: String?

    /// How long a resolved name is kept. It adds to the age of the connections that were made to the old address.
    var nameSeconds: Int { min(10, maxAgeSeconds) }

    /// libcurl looks at the age of idle connections only, and requests of HTTP/2 can keep one in use without a pause. Requests
    /// share a connection only when their TLS options are the same. Two options that OpenSSL ignores change with the time, so
    /// that those of one period never join a connection of the one before.
    func generation(at now: Int64) -> Int {
        let period = now / (Int64(max(1, maxAgeSeconds)) * 1_000_000_000) % 4
        return (period & 1 == 0 ? 0 : Int(CURLSSLOPT_NO_REVOKE))
            | (period & 2 == 0 ? 0 : Int(CURLSSLOPT_REVOKE_BEST_EFFORT))
    }
}
