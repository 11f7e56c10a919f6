internal import HTTPTypes

/// Finds routes by path.
struct RouteTable: Sendable {
    /// A node of the tree of paths.
    private struct Node: Sendable {
        var literals: [String: Int] = [:]
        var parameter: Int?
        /// Indexes in `routes`.
        var routes: [Int] = []
    }

    /// The result of a lookup.
    struct Match: Sendable {
        /// All routes of the path, one for each method.
        var routes: [Int]
        /// The values of the path's parameters.
        var values: [String]
    }

    let routes: [Route]
    /// The parameter names of each route's path.
    let pathNames: [[String]]
    private var nodes = [Node()]

    init(_ routes: [Route]) {
        self.routes = routes
        pathNames = routes.map(\.pathNames)
        for (index, route) in routes.enumerated() {
            var place = 0
            for segment in route.path.split(separator: "/") {
                place = child(of: place, String(segment))
            }
            precondition(
                !nodes[place].routes.contains { routes[$0].method == route.method },
                "duplicate route \(route.method) \(route.path)"
            )
            nodes[place].routes.append(index)
        }
    }

    private mutating func child(of place: Int, _ segment: String) -> Int {
        let isParameter = segment.hasPrefix("{")
        if let known = isParameter ? nodes[place].parameter : nodes[place].literals[segment] { return known }
        nodes.append(Node())
        if isParameter {
            nodes[place].parameter = nodes.count - 1
        } else {
            nodes[place].literals[segment] = nodes.count - 1
        }
        return nodes.count - 1
    }

    /// Finds the routes of a path. A literal segment has precedence over a parameter.
    func match(_ segments: [String]) -> Match? {
        var place = 0
        var values: [String] = []
        for segment in segments {
            if let next = nodes[place].literals[segment] {
                place = next
            } else if let next = nodes[place].parameter, !segment.isEmpty {
                values.append(segment)
                place = next
            } else {
                return nil
            }
        }
        return nodes[place].routes.isEmpty ? nil : Match(routes: nodes[place].routes, values: values)
    }

    /// The methods of a path, for the `Allow` header. Every path with GET also has HEAD.
    func methods(_ match: Match) -> [String] {
        match.routes.flatMap { index -> [String] in
            let method = routes[index].method
            return method == .get ? ["GET", "HEAD"] : [method.rawValue]
        }
    }

    static let all = RouteTable(Route.jobs + Route.executions + Route.tools + Route.system)
}
