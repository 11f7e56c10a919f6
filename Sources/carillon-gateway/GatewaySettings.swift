internal import CarillonGateway
internal import CarillonSystem

/// The validated values of flags and environment variables.
struct GatewaySettings {
    var gateway: GatewayConfiguration

    init(_ command: GatewayCommand) throws(ConfigurationError) {
        gateway = GatewayConfiguration(
            schedulers: try Setting.addresses(
                "SCHEDULERS",
                flag: command.schedulers,
                default: [GatewayConfiguration.defaultScheduler]
            ),
            listen: try Setting.address("LISTEN", flag: command.listen, default: GatewayConfiguration.defaultListen),
            metricsListen: try Setting.address("METRICS_LISTEN", flag: command.metricsListen),
            timeoutMs: try Setting.durationMs(
                "GATEWAY_TIMEOUT",
                flag: command.gatewayTimeout,
                default: 10_000,
                in: 100...300_000
            ),
            publicURL: try Setting.origin("PUBLIC_URL", flag: command.publicURL),
            allowedHosts: try Setting.hostNames("ALLOWED_HOSTS", flag: command.allowedHosts),
            trustedProxies: try Setting.addressRanges("TRUSTED_PROXIES", flag: command.trustedProxies)
        )
    }
}
