import CoreMetrics
import Testing

@testable import CarillonSystem

/// Metrics that libraries record with swift-metrics.
struct LibraryMetricsTests {
    private let registry = MetricsRegistry()

    private var factory: LibraryMetrics { LibraryMetrics(registry) }

    @Test func eachKindIsServed() {
        let requests = CoreMetrics.Counter(label: "http.requests", dimensions: [("path", "/a")], factory: factory)
        requests.increment(by: 2)
        CoreMetrics.Counter(label: "http.requests", dimensions: [("path", "/a")], factory: factory).increment()
        CoreMetrics.Counter(label: "http.requests", dimensions: [], factory: factory).increment()
        CoreMetrics.Meter(label: "pool-size", factory: factory).set(4)
        CoreMetrics.Recorder(label: "last", dimensions: [], aggregate: false, factory: factory).record(7)
        #expect(
            registry.render() == """
                # HELP http_requests_total Recorded by a library.
                # TYPE http_requests_total counter
                http_requests_total 1
                http_requests_total{path="/a"} 3
                # HELP last Recorded by a library.
                # TYPE last gauge
                last 7
                # HELP pool_size Recorded by a library.
                # TYPE pool_size gauge
                pool_size 4

                """
        )
    }

    @Test func timesAreInSeconds() {
        let timer = CoreMetrics.Timer(label: "request_duration", factory: factory)
        timer.recordMilliseconds(20)
        timer.recordSeconds(2)
        let text = registry.render()
        #expect(text.contains("# TYPE request_duration_seconds histogram\n"))
        #expect(text.contains("request_duration_seconds_bucket{le=\"0.02\"} 1\n"))
        #expect(text.contains("request_duration_seconds_sum 2.02\n"))
        #expect(text.contains("request_duration_seconds_count 2\n"))
    }

    @Test func floatingPointCountersCount() {
        let counter = CoreMetrics.FloatingPointCounter(label: "cost", factory: factory)
        for _ in 0..<4 { counter.increment(by: 0.5) }
        #expect(registry.render().contains("cost_total 2\n"))
    }

    @Test func namesThatPrometheusCannotReadAreMadePlain() {
        CoreMetrics.Counter(label: "1.é/x", dimensions: [("le", "a"), ("__n", "b\"")], factory: factory).increment()
        #expect(registry.render().hasSuffix("_1___x_total{_n=\"b\\\"\",le_=\"a\"} 1\n"))
    }

    /// A library cannot change the metrics of the process.
    @Test func aLibraryCannotTakeNamesOrKinds() {
        registry.counter("carillon_calls_total", help: "Calls.").increment(by: 5)
        CoreMetrics.Counter(label: "carillon_calls", factory: factory).increment()
        CoreMetrics.Counter(label: "process_x", factory: factory).increment()
        CoreMetrics.Meter(label: "a", factory: factory).set(1)
        CoreMetrics.Recorder(label: "a", dimensions: [], aggregate: true, factory: factory).record(2)
        CoreMetrics.Meter(label: "b_total", factory: factory).set(3)
        CoreMetrics.Counter(label: "", factory: factory).increment()
        #expect(
            registry.render() == """
                # HELP __total Recorded by a library.
                # TYPE __total counter
                __total 1
                # HELP a Recorded by a library.
                # TYPE a gauge
                a 1
                # HELP b_total_value Recorded by a library.
                # TYPE b_total_value gauge
                b_total_value 3
                # HELP carillon_calls_total Calls.
                # TYPE carillon_calls_total counter
                carillon_calls_total 5

                """
        )
    }

    @Test func namesAndSeriesAreBounded() {
        for number in 0..<2_000 { CoreMetrics.Counter(label: "n\(number)", factory: factory).increment() }
        for number in 0..<2_000 {
            CoreMetrics.Counter(label: "n0", dimensions: [("x", "\(number)")], factory: factory).increment()
        }
        let lines = registry.render().split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(lines.count <= 500 + 1_000)
        #expect(lines.contains { $0.hasPrefix("n0_total ") })
    }

    @Test func destroyedMetricsAreNotExposed() {
        let counter = CoreMetrics.Counter(label: "c", factory: factory)
        counter.increment()
        counter.destroy()
        #expect(registry.render().isEmpty)
    }
}
