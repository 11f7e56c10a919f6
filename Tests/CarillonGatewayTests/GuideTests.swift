import CarillonCore
import CarillonJSON
import CarillonWire
import HTTPTypes
import TestSupport
import Testing

@testable import CarillonGateway

/// The tables of the guides to jobs and REST match the program.
@Suite struct GuideTests {
    private static let api = "Sources/CarillonGateway/CarillonGateway.docc/RESTAPI.md"
    private static let settings = GuideTable(
        "Sources/CarillonCore/CarillonCore.docc/JobsAndSchedules.md",
        under: "Settings"
    )

    private func codes(_ table: GuideTable) -> [String] {
        table.column(0).flatMap { GuideTable.code(in: $0) }
    }

    @Test func everySettingOfAJobIsInTheGuide() {
        #expect(codes(Self.settings) == Schemas.settings.map(\.name))
    }

    @Test func theDefaultsOfTheGuideAreThoseOfTheProgram() throws {
        for (row, property) in zip(Self.settings.rows, Schemas.settings) {
            let fallback = property.schema["default"]
            let expected =
                switch fallback {
                case .string(let text)?: "`\(text)`"
                case let value?: "`\(JSONText.write(value))`"
                case nil: property.isNullable ? "null" : "required"
                }
            #expect(row[2] == expected, "\(property.name)")
        }
    }

    @Test func theRangesOfTheGuideAreThoseOfTheProgram() throws {
        for (row, property) in zip(Self.settings.rows, Schemas.settings) {
            if let minimum = property.schema["minimum"], let maximum = property.schema["maximum"] {
                #expect(row[3] == "\(JSONText.write(minimum)) to \(JSONText.write(maximum))", "\(property.name)")
            }
            if let name = property.schema["$ref"]?.string?.split(separator: "/").last {
                let schema = try #require(Schemas.all.first { $0.name == name }).schema
                #expect(GuideTable.code(in: row[3]) == schema["enum"]?.array?.compactMap(\.string), "\(property.name)")
            }
            if let length = property.schema["maxLength"]?.integer {
                #expect(row[3].contains("\(length)"), "\(property.name)")
            }
        }
    }

    @Test func everyCallIsInTheGuide() throws {
        let table = GuideTable(Self.api, under: "Calls")
        let routes = RouteTable.all.routes
        #expect(Set(codes(table)) == Set(routes.map { "\($0.method.rawValue) \($0.path)" }))
        #expect(table.rows.count == routes.count)
        for route in routes {
            let row = try #require(table.rows.first { $0[0] == "`\(route.method.rawValue) \(route.path)`" })
            let words = Set(GuideTable.code(in: row[1]))
            #expect(words.isSuperset(of: route.parameters.map(\.name)), "\(row[0])")
            let success = try #require(route.responses.first).status
            #expect(row[1].hasPrefix("\(success.code)"), "\(row[0])")
        }
    }

    @Test func everyFieldOfAnExecutionIsInTheGuide() {
        let table = GuideTable(Self.api, under: "An execution")
        #expect(Set(codes(table)) == Set(Schemas.execution.map(\.name)))
    }

    @Test func everyStatusAndReasonIsInTheGuide() {
        #expect(codes(GuideTable(Self.api, under: "Statuses")) == ExecutionStatus.allCases.map(\.rawValue))
        #expect(codes(GuideTable(Self.api, under: "Reasons")) == Reason.allCases.map(\.rawValue))
    }

    @Test func everyErrorCodeIsInTheGuide() {
        let table = GuideTable(Self.api, under: "Errors")
        #expect(codes(table) == Problem.meanings.map(\.code))
        #expect(table.column(1) == Problem.meanings.map(\.statuses))
    }
}
