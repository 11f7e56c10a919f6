/// host:port of a URL, for messages.
struct Target: CustomStringConvertible {
    let description: String

    init(_ url: String) {
        var rest = url[...]
        if let scheme = url.firstRange(of: "://") { rest = url[scheme.upperBound...] }
        let authority = rest.prefix { !"/?#".contains($0) }
        let hasPort = authority.last != "]" && authority.drop { $0 != "]" && authority.contains("]") }.contains(":")
        description = hasPort ? String(authority) : "\(authority):\(Target.isTLS(url) ? 443 : 80)"
    }

    static func isTLS(_ url: String) -> Bool { url.prefix(6).lowercased() == "https:" }
}

/// Targets that answered HTTP_1_1_REQUIRED over HTTP/2. Later requests to them use HTTP/1.1 from the start, because an AT_MOST_ONCE
/// request cannot be repeated.
struct HTTP1Targets {
    static let maxCount = 1_024
    private var names: Set<String> = []

    func contains(_ url: String) -> Bool {
        !names.isEmpty && names.contains(Target(url).description)
    }

    mutating func insert(_ url: String) {
        if names.count >= Self.maxCount { names.removeFirst() }
        names.insert(Target(url).description)
    }
}
