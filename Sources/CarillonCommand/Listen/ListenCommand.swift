internal import ArgumentParser
internal import CarillonJSON
internal import CarillonRuntime
internal import Synchronization

/// `carillon listen`: a target for trying out jobs.
struct ListenCommand: WorldCommand {
    static let configuration = CommandConfiguration(
        commandName: "listen",
        abstract: "Receive HTTP requests and print them: a target for trying out jobs.",
        discussion: """
            Prints the listening address, then each request with its headers and the start of its body, until \
            Ctrl-C. Every request gets the same response. With --output json each request is printed as one object a line, and \
            the address goes to standard error.

              carillon listen
              carillon listen 0 --count 1
              carillon listen 9000 --status 503 --delay 2s

            By default only programs on this machine can connect; --host sets another address. Headers are printed unchanged, \
            credentials included.
            """
    )

    @Argument(
        help: ArgumentHelp("The port; 0 for any free port. (default: 9000)", valueName: "port"),
        transform: WholeNumber.read
    )
    var port = 9_000

    @Option(
        name: .customLong("host"),
        help: ArgumentHelp("The address to listen on.", valueName: "address")
    )
    var host = "127.0.0.1"

    @Option(
        name: .customLong("status"),
        parsing: .unconditional,
        help: ArgumentHelp("The status of every response. (default: 200)", valueName: "code"),
        transform: WholeNumber.read
    )
    var status = 200

    @Option(
        name: .customLong("delay"),
        parsing: .unconditional,
        help: ArgumentHelp("The delay before every response. (default: none)", valueName: "duration"),
        transform: DurationArgument.read
    )
    var delay: DurationArgument?

    @Option(
        name: .customLong("count"),
        parsing: .unconditional,
        help: ArgumentHelp("Exit after this number of requests.", valueName: "count"),
        transform: WholeNumber.read
    )
    var count: Int?

    @OptionGroup
    var output: OutputOptions

    private static let longestDelay = DurationArgument(milliseconds: 3_600_000)

    func validate() throws {
        guard 0...65_535 ~= port else { throw ValidationError("the port is \(port); 0 to 65535 are allowed") }
        guard !host.isEmpty else { throw ValidationError("--host is empty; give an address, such as 127.0.0.1") }
        guard 200...599 ~= status else { throw ValidationError("--status is \(status); 200 to 599 are allowed") }
        if let delay, delay.milliseconds > Self.longestDelay.milliseconds {
            throw ValidationError("--delay is \(delay); at most \(Self.longestDelay) is allowed")
        }
        if let count, count < 1 { throw ValidationError("--count is \(count); it must be at least 1") }
    }

    func run(in world: World) async throws {
        let format = try output.format(in: world)
        let style = Style(isOn: world.usesColor)
        let left = Mutex(count ?? .max)
        let listener = RequestListener(
            response: RequestListener.Response(status: status, delayMs: delay?.milliseconds ?? 0),
            now: world.now
        ) { request in
            switch format {
            case .json: try world.write(JSONText.write(request.json) + "\n")
            case .table: try world.write(request.text(style))
            }
            return left.withLock { left in
                left -= 1
                return left <= 0 ? .stop : .goOn
            }
        }
        let address = try await listener.start(on: HostPort(host: host, port: port))
        Interruption.endsQuietly()
        let line = "listening on http://\(LocalSystem.reachable(address))\n"
        switch format {
        case .json: world.writeError(line)
        case .table: try world.write(line)
        }
        try await listener.untilStopped()
    }
}
