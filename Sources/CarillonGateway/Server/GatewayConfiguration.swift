package import CarillonRuntime
package import CarillonSystem

/// How a gateway runs.
package struct GatewayConfiguration: Sendable {
    package var schedulers: [HostPort]
    package var listen: HostPort
    /// One more place for /metrics, /livez and /readyz.
    package var metricsListen: HostPort?
    /// How long a scheduler may take to answer.
    package var timeoutMs: Int
    package var maxConnections: Int
    /// Where browsers find the gateway, when a proxy stands before it.
    package var publicURL: WebOrigin?
    /// Names that the gateway answers to beside `localhost`, its machine's name, and those of `listen` and `publicURL`.
    package var allowedHosts: [String]
    /// Peers whose `X-Forwarded-Proto` and `X-Forwarded-Host` are believed.
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
