import CarillonCore
import CarillonCron
import Testing

@testable import CarillonScheduler

@Suite struct PlanCatalogTests {
    @Test func `each plan has its own description, also when it is asked for again`() throws {
        let catalog = PlanCatalog(zones: StubZones())
        let plans = try ["0 9 * * 1-5", "*/5 * * * *"].map { try catalog.plan($0, "UTC", .cron).get() }
        for _ in 0..<2 {
            #expect(plans.map { catalog.description(of: $0) } == plans.map { $0.expression.explained() })
        }
    }
}
