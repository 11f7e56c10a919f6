package import CarillonRPC
package import CarillonSystem
internal import HTTPTypes

/// The counters and histograms of a gateway (deploy/METRICS.md).
package final class GatewayMetrics: Sendable {
    private let requests: MetricFamily<Counter>
    private let durations: MetricFamily<Histogram>
    private let rpcFrames: MetricFamily<Counter>
    private let rpcErrors: MetricFamily<Counter>
    private let rpcConnections: Gauge
    /// One histogram for each route, in the order of the route table.
    private let routeDurations: [Histogram]
    private let strayDuration: Histogram

    private static let stray = "unmatched"

    package init(registry: MetricsRegistry) {
        requests = registry.counters(
            "carillon_http_requests_total",
            help: "Requests answered.",
            labels: ["route", "method", "status"]
        )
        durations = registry.histograms(
            "carillon_http_request_duration_seconds",
            help: "Time from the request head to the response.",
            labels: ["route"],
            bounds: .latencySeconds
        )
        rpcFrames = registry.counters(
            "carillon_rpc_frames_total",
            help: "RPC frames sent and received.",
            labels: ["direction", "message"]
        )
        rpcErrors = registry.counters(
            "carillon_rpc_errors_total",
            help: "RPC connections closed because of a protocol error.",
            labels: ["kind"]
        )
        rpcConnections = registry.gauge(
            "carillon_rpc_connections",
            help: "Established connections to schedulers."
        )
        let durations = durations
        routeDurations = RouteTable.all.routes.map { durations.with($0.path) }
        strayDuration = durations.with(GatewayMetrics.stray)
    }

    package var rpc: RPCMetrics {
        RPCMetrics(
            frames: { [rpcFrames] in rpcFrames.with($0.rawValue, $1).increment(by: UInt64($2)) },
            failure: { [rpcErrors] kind in rpcErrors.with(kind).increment() },
            connections: { [rpcConnections] change in rpcConnections.add(Double(change)) }
        )
    }

    /// - Parameter route: its position in the table; `nil` if no route matched.
    func answered(route: Int?, method: HTTPRequest.Method, status: HTTPResponse.Status, nanoseconds: Int64) {
        let path = route.map { RouteTable.all.routes[$0].path } ?? GatewayMetrics.stray
        requests.with(path, GatewayMetrics.name(of: method), String(status.code)).increment()
        (route.map { routeDurations[$0] } ?? strayDuration).observe(Double(nanoseconds) / 1e9)
    }

    /// Clients can send any method name. Unknown names share one label value, so that the number of time series stays
    /// limited.
    private static func name(of method: HTTPRequest.Method) -> String {
        switch method {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .patch: "PATCH"
        case .delete: "DELETE"
        default: "other"
        }
    }
}
