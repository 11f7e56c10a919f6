internal import CarillonCore
internal import CarillonWire
package final class SchedulerMetrics: Sendable {
    package init() {}
    func record(_ executions: [Execution]) {}
    func update(_ status: Status, peers: Peers) {}
}
