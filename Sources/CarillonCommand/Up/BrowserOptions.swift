internal import ArgumentParser
internal import CarillonSystem

/// Options of `carillon up` that its gateway gets: which names browsers reach it by.
struct BrowserOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where browsers find the gateway, when a proxy stands before it. (environment: PUBLIC_URL)",
            valueName: "url"
        )
    )
    var publicURL: String?

    @Option(
        help: ArgumentHelp(
            "More names that the gateway is called by, with commas between. (environment: ALLOWED_HOSTS)",
            valueName: "name,..."
        )
    )
    var allowedHosts: String?

    @Option(
        help: ArgumentHelp(
            "Proxies whose X-Forwarded-Proto and X-Forwarded-Host count. (environment: TRUSTED_PROXIES)",
            valueName: "address[/bits],..."
        )
    )
    var trustedProxies: String?

    /// The command line of the gateway for what is given here or in the environment.
    /// - Throws: `CommandFailure` when a value is invalid, before anything is started.
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
