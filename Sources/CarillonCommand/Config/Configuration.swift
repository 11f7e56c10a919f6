internal import Yams

/// The configuration file of the command line: named contexts, each with the addresses of its schedulers.
///
///     context: local
///     contexts:
///       local: { schedulers: 127.0.0.1:7070 }
///       production: { schedulers: [a.example.org:7070, b.example.org:7070] }
struct Configuration: Hashable {
    struct Context: Hashable {
        var schedulers: String
    }

    /// The context to use if no context is selected.
    var context: String?
    var contexts: [String: Context] = [:]

    /// The path of the file: CARILLON_CONFIG, or else a path in XDG_CONFIG_HOME or ~/.config; `nil` without a home
    /// folder.
    static func path(_ environment: [String: String]) -> String? {
        func variable(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let path = variable("CARILLON_CONFIG") { return path }
        let folder = variable("XDG_CONFIG_HOME") ?? variable("HOME").map { $0 + "/.config" }
        return folder.map { $0 + "/carillon/config.yml" }
    }

    /// - Parameter path: the path for error messages.
    init(_ bytes: [UInt8], path: String) throws(CommandFailure) {
        let node: Node?
        do {
            node = try Yams.compose(yaml: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw CommandFailure(status: .invalidData, text: "\(path) is not YAML: \(Configuration.reason(error))")
        }
        // An empty file has the same effect as no file.
        guard let node, node.null == nil else { return }
        let reader = ConfigurationReader(path: path)
        for (name, value) in try reader.members(node, of: "the file", allowed: ["context", "contexts"]) {
            if name == "context" {
                context = try reader.text(value, "context")
            } else {
                for (name, value) in try reader.members(value, of: "contexts", allowed: nil) {
                    contexts[name] = try reader.context(value, named: name)
                }
            }
        }
    }

    /// The first line of the parser's message, which contains the line number.
    private static func reason(_ error: any Error) -> String {
        let lines = "\(error)".split(separator: "\n").map { TextFormat.trimmed($0) }
        return TerminalText.line(lines.filter { !$0.isEmpty && !$0.hasPrefix("^") }.joined(separator: " "))
    }
}

/// Reads the nodes of a configuration file. Errors contain the file and the line.
private struct ConfigurationReader {
    var path: String

    func members(_ node: Node, of what: String, allowed: [String]?) throws(CommandFailure) -> [(String, Node)] {
        guard let mapping = node.mapping else {
            throw problem(node, "\(what) must be a mapping, such as contexts: {local: {schedulers: 127.0.0.1:7070}}")
        }
        var members: [(String, Node)] = []
        for (key, value) in mapping {
            let name = try text(key, "a key")
            if let allowed, !allowed.contains(name) {
                throw problem(
                    key,
                    "\(what) has no setting \"\(name)\"; the settings are \(allowed.joined(separator: ", "))"
                )
            }
            members.append((name, value))
        }
        return members
    }

    func context(_ node: Node, named name: String) throws(CommandFailure) -> Configuration.Context {
        let what = "the context \"\(name)\""
        var schedulers = ""
        for (_, value) in try members(node, of: what, allowed: ["schedulers"]) {
            if let sequence = value.sequence {
                var addresses: [String] = []
                for element in sequence { addresses.append(try text(element, "schedulers")) }
                schedulers = addresses.joined(separator: ",")
            } else {
                schedulers = try text(value, "schedulers")
            }
        }
        guard !schedulers.isEmpty else {
            throw problem(node, "\(what) has no schedulers; add for instance schedulers: 127.0.0.1:7070")
        }
        return Configuration.Context(schedulers: schedulers)
    }

    func text(_ node: Node, _ what: String) throws(CommandFailure) -> String {
        guard let text = node.scalar?.string, !text.isEmpty, node.null == nil else {
            throw problem(node, "\(what) must be a string")
        }
        return text
    }

    private func problem(_ node: Node, _ text: String) -> CommandFailure {
        let line = node.mark.map { ", line \($0.line)" } ?? ""
        return CommandFailure(status: .invalidData, text: "\(path)\(line): \(TerminalText.line(text))")
    }
}
