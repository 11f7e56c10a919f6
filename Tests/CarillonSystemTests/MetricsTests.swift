import Testing

@testable import CarillonSystem

struct MetricsTests {
    @Test func writesEachKind() {
        let registry = MetricsRegistry()
        registry.counter("carillon_late_reports_total", help: "Late reports.").increment(by: 3)
        let calls = registry.counters("carillon_attempts_total", help: "Attempts.", labels: ["result"])
        calls.with("success").increment()
        calls.with("failure").increment(by: 2)
        registry.gauge("carillon_heap_size", help: "Timers.").set(12)
        registry.gauge("carillon_skew_seconds", help: "Skew.").set(-0.25)
        #expect(
            registry.render() == """
                # HELP carillon_attempts_total Attempts.
                # TYPE carillon_attempts_total counter
                carillon_attempts_total{result="failure"} 2
                carillon_attempts_total{result="success"} 1
                # HELP carillon_heap_size Timers.
                # TYPE carillon_heap_size gauge
                carillon_heap_size 12
                # HELP carillon_late_reports_total Late reports.
                # TYPE carillon_late_reports_total counter
                carillon_late_reports_total 3
                # HELP carillon_skew_seconds Skew.
                # TYPE carillon_skew_seconds gauge
                carillon_skew_seconds -0.25

                """
        )
    }

    @Test func writesHistograms() {
        let registry = MetricsRegistry()
        let histogram = registry.histogram("carillon_drift_seconds", help: "Drift.", bounds: [0.005, 1, 10])
        histogram.observe(0.001)
        histogram.observe(0.005)
        histogram.observe(microseconds: 500_000)
        histogram.observe(10.5)
        histogram.observe(.nan)
        #expect(
            registry.render() == """
                # HELP carillon_drift_seconds Drift.
                # TYPE carillon_drift_seconds histogram
                carillon_drift_seconds_bucket{le="0.005"} 2
                carillon_drift_seconds_bucket{le="1"} 3
                carillon_drift_seconds_bucket{le="10"} 3
                carillon_drift_seconds_bucket{le="+Inf"} 4
                carillon_drift_seconds_sum 11.006
                carillon_drift_seconds_count 4

                """
        )
    }

    @Test func escapesHelpAndLabels() {
        let registry = MetricsRegistry()
        registry.gauges("carillon_worker_in_flight", help: "a\\b\n\"c\"", labels: ["worker"])
            .with("w\"1\\\n{}").set(1)
        #expect(
            registry.render() == #"""
                # HELP carillon_worker_in_flight a\\b\n"c"
                # TYPE carillon_worker_in_flight gauge
                carillon_worker_in_flight{worker="w\"1\\\n{}"} 1

                """#
        )
    }

    @Test func readsWhenScraped() {
        let registry = MetricsRegistry()
        registry.gauge("carillon_jobs", help: "Jobs.") { 7 }
        registry.gauge("carillon_absent", help: "Not now.") { nil }
        registry.counters("carillon_frames_total", help: "Frames.", labels: ["direction"]) {
            [(["sent"], 2), (["received"], 1e15)]
        }
        #expect(
            registry.render() == """
                # HELP carillon_frames_total Frames.
                # TYPE carillon_frames_total counter
                carillon_frames_total{direction="sent"} 2
                carillon_frames_total{direction="received"} 1000000000000000
                # HELP carillon_jobs Jobs.
                # TYPE carillon_jobs gauge
                carillon_jobs 7

                """
        )
    }

    @Test func givesTheSameMetricAgain() {
        let registry = MetricsRegistry()
        registry.counter("carillon_x_total", help: "X.").increment()
        registry.counter("carillon_x_total", help: "X.").increment()
        #expect(registry.counter("carillon_x_total", help: "X.").value == 2)
    }

    /// Labels from outside must not increase the memory without limit.
    @Test func boundsTheNumberOfSeries() {
        let family = MetricsRegistry().counters("carillon_y_total", help: "Y.", labels: ["worker"])
        for number in 0..<3_000 { family.with("worker-\(number)").increment() }
        #expect(family.all.count <= MetricFamily<Counter>.seriesLimit + 1)
        #expect(family.with("other").value == UInt64(3_000 - MetricFamily<Counter>.seriesLimit))
    }

    @Test func countsFromManyThreads() async {
        let registry = MetricsRegistry()
        let counter = registry.counter("carillon_z_total", help: "Z.")
        let gauge = registry.gauge("carillon_z", help: "Z.")
        let histogram = registry.histogram("carillon_z_seconds", help: "Z.", bounds: [1, 2])
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<1_000 {
                        counter.increment()
                        gauge.add(0.5)
                        histogram.observe(1.5)
                    }
                }
            }
        }
        #expect(counter.value == 8_000)
        #expect(gauge.value == 4_000)
        #expect(histogram.snapshot.counts == [0, 8_000, 0])
        #expect(histogram.snapshot.sum == 12_000)
    }

    @Test func servesProcessMetrics() {
        let text = MetricsRegistry(component: "carillon-worker").render()
        for name in [
            "process_cpu_seconds_total", "process_resident_memory_bytes", "process_virtual_memory_bytes",
            "process_open_fds", "process_max_fds", "process_start_time_seconds", "process_threads",
        ] {
            let value = text.split(separator: "\n").first { $0.hasPrefix(name + " ") }?
                .split(separator: " ").last.flatMap { Double($0) }
            #expect((value ?? 0) > 0, "\(name) in \(text)")
        }
        #expect(
            text.contains(
                "carillon_build_info{component=\"carillon-worker\",version=\"\(CarillonVersion.current)\"} 1\n"
            )
        )
    }

    @Test func refusesWrongNames() async {
        await #expect(processExitsWith: .failure) { _ = MetricsRegistry().counter("carillon_x", help: "X.") }
        await #expect(processExitsWith: .failure) { _ = MetricsRegistry().gauge("carillon-x", help: "X.") }
        await #expect(processExitsWith: .failure) {
            _ = MetricsRegistry().histograms("carillon_x", help: "X.", labels: ["le"], bounds: [1])
        }
    }
}
