internal import ArgumentParser
internal import CarillonRuntime

/// The addresses of the schedulers, from the first of these that is set: `--schedulers`, `--context`, SCHEDULERS,
/// CARILLON_CONTEXT, the context of the configuration file, and 127.0.0.1:7070.
struct SchedulerAddresses {
    var text: String
    /// The source of the addresses, for error messages.
    var name: String

    /// - Throws: `ValidationError` if the text is not a list of addresses.
    static func list(option: String?, context: String?, in world: World) throws -> [String] {
        let place = try find(option: option, context: context, in: world)
        let addresses = place.text.split(separator: ",").map(TextFormat.trimmed).filter { !$0.isEmpty }
        guard !addresses.isEmpty else {
            throw ValidationError("\(place.name) is empty; it must contain at least one address such as 127.0.0.1:7070")
        }
        for address in addresses {
            guard let host = HostPort(address), host.port > 0 else {
                throw ValidationError(
                    "\"\(address)\" in \(place.name) is not host:port, such as 127.0.0.1:7070 or [::1]:7070"
                )
            }
        }
        return addresses
    }

    private static func find(option: String?, context: String?, in world: World) throws -> SchedulerAddresses {
        if let option { return SchedulerAddresses(text: option, name: "--schedulers") }
        if let context { return try named(context, by: "--context", in: world) }
        if let text = world.environment["SCHEDULERS"], !text.isEmpty {
            return SchedulerAddresses(text: text, name: "SCHEDULERS (or --schedulers)")
        }
        if let name = world.environment["CARILLON_CONTEXT"], !name.isEmpty {
            return try named(name, by: "CARILLON_CONTEXT", in: world)
        }
        if let (configuration, path) = try configuration(in: world), let name = configuration.context {
            return try entry(name, of: configuration, path: path, by: "context")
        }
        return SchedulerAddresses(text: "127.0.0.1:7070", name: "--schedulers")
    }

    private static func named(_ name: String, by origin: String, in world: World) throws -> SchedulerAddresses {
        guard let (configuration, path) = try configuration(in: world) else {
            let path = Configuration.path(world.environment) ?? "~/.config/carillon/config.yml"
            throw CommandFailure(
                status: .notFound,
                text: "\(origin) is \"\(name)\", but there is no configuration file \(path)"
            )
        }
        return try entry(name, of: configuration, path: path, by: origin)
    }

    private static func entry(
        _ name: String,
        of configuration: Configuration,
        path: String,
        by origin: String
    ) throws -> SchedulerAddresses {
        guard let context = configuration.contexts[name] else {
            let names = configuration.contexts.keys.sorted()
            throw CommandFailure(
                status: .notFound,
                text: "\(origin) is \"\(name)\", but \(path) has no such context"
                    + (names.isEmpty ? "" : "; the contexts are \(names.joined(separator: ", "))")
            )
        }
        return SchedulerAddresses(text: context.schedulers, name: "schedulers of the context \"\(name)\" in \(path)")
    }

    private static func configuration(in world: World) throws -> (Configuration, path: String)? {
        guard let path = Configuration.path(world.environment) else { return nil }
        guard world.fileExists(path) else {
            // A file given by CARILLON_CONFIG must exist; the file at the default path is optional.
            guard world.environment["CARILLON_CONFIG", default: ""].isEmpty else {
                throw CommandFailure(status: .notFound, text: "CARILLON_CONFIG is \(path), which does not exist")
            }
            return nil
        }
        return (try Configuration(try world.readFile(path), path: path), path)
    }
}
