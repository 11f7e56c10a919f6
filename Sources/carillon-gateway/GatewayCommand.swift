internal import ArgumentParser
internal import CarillonGateway
internal import CarillonSystem

/// Runs the program. A plain function, so that the code below does not inherit the main actor of top-level code.
nonisolated func gatewayMain() async {
    await GatewayCommand.mainHidingSecrets()
}

/// The gateway's command line.
struct GatewayCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "carillon-gateway",
        abstract: "Serves the REST API of Carillon, and forwards requests to a scheduler.",
        discussion: """
            Every option can also be set by the environment variable named in its help; the option wins. A gateway has no \
            state: start as many as you like. Durations are written 30 (seconds), 30s, 500ms or 1m.

              carillon-gateway --schedulers 127.0.0.1:7070
              curl http://127.0.0.1:8000/docs

            There is no authentication: listen on an address that only trusted clients reach. Pages of other web sites are refused: \
            requests must name the gateway by an IP address, localhost, the machine's name, the host of PUBLIC_URL or a name in \
            ALLOWED_HOSTS, and changes must not come from pages of another origin.
            """,
        version: CarillonVersion.current
    )

    @Option(
        help: ArgumentHelp(
            "Addresses of the schedulers, separated by commas. (SCHEDULERS; default: 127.0.0.1:7070)",
            valueName: "host:port,..."
        )
    )
    var schedulers: String?

    @Option(
        help: ArgumentHelp(
            "Address of the API; port 0 takes a free one. (LISTEN; default: 127.0.0.1:8000)",
            valueName: "host:port"
        )
    )
    var listen: String?

    @Option(
        help: ArgumentHelp(
            "A further address for /metrics, /livez and /readyz. (METRICS_LISTEN; default: none, the API has them)",
            valueName: "host:port"
        )
    )
    var metricsListen: String?

    @Option(
        help: ArgumentHelp(
            "Time limit for a scheduler's answer. (GATEWAY_TIMEOUT; default: 10s)",
            valueName: "duration"
        )
    )
    var gatewayTimeout: String?

    @Option(
        help: ArgumentHelp(
            "URL of this gateway for browsers, behind a proxy. (PUBLIC_URL; default: none)",
            valueName: "url"
        )
    )
    var publicURL: String?

    @Option(
        help: ArgumentHelp(
            "Further host names of this gateway, separated by commas. (ALLOWED_HOSTS; default: none)",
            valueName: "name,..."
        )
    )
    var allowedHosts: String?

    @Option(
        help: ArgumentHelp(
            "Proxies whose X-Forwarded-Proto and X-Forwarded-Host are trusted, separated by commas. (TRUSTED_PROXIES; default: none)",
            valueName: "address[/bits],..."
        )
    )
    var trustedProxies: String?

    @Flag(name: .customLong("openapi"), help: "Print the OpenAPI document and exit.")
    var openAPI = false

    @OptionGroup(title: "Log") var log: LogOptions

    func run() async throws {
        if openAPI { return print(GatewayServer.openAPI) }
        try await ExitCode.reporting {
            let settings = try GatewaySettings(self)
            let logger = try log.configuration().bootstrap(component: "carillon-gateway")
            try await GatewayProcess(settings: settings, logger: logger).run()
        }
    }
}
