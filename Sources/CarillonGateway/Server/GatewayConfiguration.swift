package import CarillonRuntime
package import CarillonSystem

/// The configuration of a gateway.
package struct GatewayConfiguration: Sendable {
    package var schedulers: [HostPort]
    package var listen: HostPort
    /// An additional address for /metrics, /livez and /readyz.
    package var metricsListen: HostPort?
    /// How long to wait for a scheduler's response.
    package var timeoutMs: Int
    package var maxConnections: Int
    /// The address at which browsers reach the gateway if it is behind a proxy.
    package var publicURL: WebOrigin?
    /// Allowed host names besides `localhost`, the machine's name, and the hosts of `listen` and `publicURL`.
    package var allowedHosts: [String]
    /// Peers whose `X-Forwarded-Proto` and `X-Forwarded-Host` headers are trusted.
    package var trustedProxies: [AddressRange]

    package static let defaultListen = HostPort(host: "127.0.0.1", port: 8000)
    package static let defaultScheduler = HostPort(host: "127.0.0.1", port: 7070)

    package init(
        schedulers: [HostPort] = [defaultScheduler],
        listen: HostPort = defaultListen,
        metricsListen: HostPort? = nil,
        timeoutMs: Int = 10_000,
        maxConnections: Int = 4_096,
        publicURL: WebOrigin? = nil,
        allowedHosts: [String] = [],
        trustedProxies: [AddressRange] = []
    ) {
        self.schedulers = schedulers
        self.listen = listen
        self.metricsListen = metricsListen
        self.timeoutMs = timeoutMs
        self.maxConnections = maxConnections
        self.publicURL = publicURL
        self.allowedHosts = allowedHosts
        self.trustedProxies = trustedProxies
    }
}
