import CarillonCore
import CarillonJSON
import TestSupport
import Testing

@testable import CarillonCommand

/// The settings catalogue and the options of `job create` and `job update` match.
@Suite struct JobFieldTests {
    /// Options that are not named after their setting. `active` is set by --paused, `job pause` and `job resume`.
    private static let names = [
        "api_url": "url", "http_method": "method", "headers": "header", "tags": "tag", "active": "paused",
    ]

    private static func option(of field: JobField) -> String {
        let words = field.name.split(separator: "_").filter { $0 != "seconds" }
        return "--\(names[field.name] ?? words.joined(separator: "-"))"
    }

    @Test(arguments: JobField.all) func eachSettingHasAnOption(_ field: JobField) async throws {
        var arguments = ["job", "create"]
        switch field.sample {
        case .text(let text): arguments += [Self.option(of: field), text]
        case .integer(let number): arguments += [Self.option(of: field), "\(number)"]
        case .seconds(let seconds): arguments += [Self.option(of: field), "\(seconds)"]
        case .time(let time): arguments += [Self.option(of: field), JSONValue(.time(time)).string ?? ""]
        case .flag: arguments += [Self.option(of: field)]
        case .list(let texts): for text in texts { arguments += [Self.option(of: field), text] }
        case .headers(let headers):
            for header in headers { arguments += [Self.option(of: field), "\(header.name): \(header.value)"] }
        }
        let outcome = await run(arguments)
        let sent = try #require(outcome.requests.first?.arguments, "\(outcome.errors)")
        guard case .object(let members) = sent else { return #expect(Bool(false)) }
        #expect(members.map(\.name) == [field.name])
        if case .seconds(let seconds) = field.sample {
            #expect(sent[field.name] == .number(seconds))
        } else {
            #expect(sent[field.name] == JSONValue(field.sample))
        }
    }

    /// Every setting is shown, with or without its own line.
    @Test(arguments: JobField.all) func eachSettingIsShown(_ field: JobField) async {
        guard case .object(var members) = Sample.job else { return }
        members.removeAll { $0.name == field.name }
        members.append(.init(field.name, JSONValue(field.sample)))
        let shown = await Self.output(.object(members))
        let usual = await Self.output(Sample.job)
        #expect(shown != "" && shown != usual, "\(field.name)")
    }

    private static func output(_ job: JSONValue) async -> String {
        let scheduler = FakeScheduler { name, _ throws(ClientError) in name == "get_job" ? job : ["times": []] }
        return await run(["job", "get", Sample.jobID], scheduler: scheduler).output
    }
}
