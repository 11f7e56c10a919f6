internal import ArgumentParser
internal import CarillonSystem

/// Options of `carillon up` that are passed to its gateway: the origins and host names that browsers use.
struct BrowserOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The address at which browsers reach the gateway if it is behind a proxy. (environment: PUBLIC_URL)",
            valueName: "url"
        )
    )
    var publicURL: String?

    @Option(
        help: ArgumentHelp(
            "Additional host names of the gateway, separated by commas. (environment: ALLOWED_HOSTS)",
            valueName: "name,..."
        )
    )
    var allowedHosts: String?

    @Option(
        help: ArgumentHelp(
            "Proxies whose X-Forwarded-Proto and X-Forwarded-Host headers are trusted. (environment: TRUSTED_PROXIES)",
            valueName: "address[/bits],..."
        )
    )
    var trustedProxies: String?

    /// The gateway's arguments for the options and environment variables given here.
    /// - Throws: `CommandFailure` if a value is invalid, before anything is started.
    func arguments(environment: [String: String]) throws(CommandFailure) -> [String] {
        let variables = EnvironmentVariables(environment)
        do throws(ConfigurationError) {
            _ = try Setting.origin("PUBLIC_URL", flag: publicURL, environment: variables)
            _ = try Setting.hostNames("ALLOWED_HOSTS", flag: allowedHosts, environment: variables)
            _ = try Setting.addressRanges("TRUSTED_PROXIES", flag: trustedProxies, environment: variables)
        } catch {
            throw CommandFailure(status: .usage, text: error.message)
        }
        let given = [("PUBLIC_URL", publicURL), ("ALLOWED_HOSTS", allowedHosts), ("TRUSTED_PROXIES", trustedProxies)]
        return given.flatMap { name, flag in
            (flag ?? variables[name]).map { [Setting.flagName(name), $0] } ?? []
        }
    }
}
